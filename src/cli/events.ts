import type { Client, Json } from "./client.ts";
import { parse, refusal } from "./client.ts";
import { CliError, EXIT } from "./exit.ts";

/** One journal entry as the server sends it. */
export interface ScanEvent {
	seq: number;
	at: string;
	type: string;
	phase: string;
	strategy_id: string | null;
	payload: Json;
}

/** Reconnects in a row without a new event before the stream counts as lost. */
const TRIES_MAX = 10;
const RETRY_MS = 2_000;

/**
 * The scan's journal, live until its end, across servers that come and go: each reconnect names the last entry
 * seen, so none is missed and none comes twice.
 */
export async function* followScan(
	client: Client,
	scanId: string,
	signal: AbortSignal,
	pause: (ms: number) => Promise<void>,
): AsyncGenerator<ScanEvent> {
	let after = 0;
	for (let tries = 0; tries < TRIES_MAX; ) {
		try {
			const response = await client.open("GET", `/opportunities/scans/${scanId}/events?after=${after}`, { signal });
			if (response.status === 204) return;
			if (!response.ok || !response.body) {
				throw refusal({ status: response.status, headers: response.headers, body: parse(await response.text()) });
			}
			for await (const event of readEvents(response.body)) {
				if (event.name === "end") return;
				const entry = JSON.parse(event.data) as ScanEvent;
				after = entry.seq;
				tries = 0;
				yield entry;
			}
		} catch (error) {
			if (signal.aborted) return;
			if (error instanceof CliError && error.code !== EXIT.failure && error.code !== EXIT.later) throw error;
		}
		tries += 1;
		await pause(RETRY_MS);
	}
	throw new CliError(EXIT.failure, "The event stream was lost");
}

async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<{ name: string; data: string }> {
	let text = "";
	const decoder = new TextDecoder();
	for await (const chunk of body) {
		text += decoder.decode(chunk, { stream: true });
		for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
			const block = text.slice(0, end);
			text = text.slice(end + 2);
			const name = /^event: ?(.*)$/m.exec(block)?.[1];
			const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((match) => match[1]).join("\n");
			if (name !== undefined) yield { name, data };
		}
	}
}
