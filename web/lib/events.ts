import { ApiProblem, type Json } from "./api.ts";
import { accessToken, renew } from "./session.ts";

/** One journal entry as the event stream sends it. */
export interface JournalEvent {
	seq: number;
	at: string;
	type: string;
	phase: string;
	strategy_id: string | null;
	attempt: number | null;
	revision: number;
	payload: Json;
}

export type StreamState = "connecting" | "live" | "waiting" | "ended";

const RETRY_MS = 2_000;

/**
 * Hands over every entry of a scan's journal after `afterSeq` once and in order, across servers that come
 * and go: each reconnect names the last entry seen. Resolves when the scan has ended or `signal` aborts.
 */
export async function followScan(
	scanId: string,
	signal: AbortSignal,
	onEvent: (event: JournalEvent) => void,
	onState: (state: StreamState) => void = () => {},
	afterSeq = 0,
): Promise<void> {
	let after = afterSeq;
	while (!signal.aborted) {
		onState("connecting");
		try {
			const response = await openStream(scanId, after, signal);
			if (response.status === 204) return onState("ended");
			if (!response.ok || !response.body) throw new ApiProblem(response.status, await response.json());
			onState("live");
			for await (const { name, data } of readEvents(response.body)) {
				if (name === "end") return onState("ended");
				const event = JSON.parse(data) as JournalEvent;
				if (event.seq <= after) continue;
				after = event.seq;
				onEvent(event);
			}
		} catch (error) {
			if (signal.aborted) return;
			if (error instanceof ApiProblem && error.status < 500 && error.status !== 429) throw error;
		}
		onState("waiting");
		await pause(RETRY_MS, signal);
	}
}

async function openStream(scanId: string, after: number, signal: AbortSignal): Promise<Response> {
	const ask = () =>
		fetch(`/api/v1/opportunities/scans/${encodeURIComponent(scanId)}/events`, {
			headers: { authorization: `Bearer ${accessToken() ?? ""}`, "last-event-id": String(after) },
			signal,
		});
	const first = await ask();
	return first.status === 401 && (await renew()) ? ask() : first;
}

async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<{ name: string; data: string }> {
	const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
	let text = "";
	try {
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			text += value;
			for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
				const block = text.slice(0, end);
				text = text.slice(end + 2);
				const name = /^event: ?(.*)$/m.exec(block)?.[1];
				const data = /^data: ?(.*)$/m.exec(block)?.[1];
				if (name !== undefined && data !== undefined) yield { name, data };
			}
		}
	} finally {
		await reader.cancel().catch(() => undefined);
	}
}

export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
	new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		signal?.addEventListener(
			"abort",
			() => {
				clearTimeout(timer);
				resolve();
			},
			{ once: true },
		);
	});
