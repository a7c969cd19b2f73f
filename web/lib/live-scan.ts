import { ApiProblem, type Json } from "./api.ts";
import { followScan, pause, type StreamState } from "./events.ts";
import { useEffect, useRef, useState } from "./html.ts";
import { LiveModel } from "./live-model.ts";
import { statusOf } from "./scan-api.ts";

export interface LiveScan {
	status: Json | null;
	model: LiveModel;
	stream: StreamState;
	/** Why the scan cannot be shown; null: it can. */
	problem: Error | null;
	/** The server did not answer the last time; what is shown may be old. */
	unreachable: boolean;
	/** Server's clock minus this machine's, ms. */
	offsetMs: number;
	/** Asks for the status now. */
	refresh(): void;
}

const STATUS_MS = 3_000;
const DRAW_MS = 100;

/** Follows a scan by events and status until it has ended; `latest` follows the newest. */
export function useLiveScan(word: string): LiveScan {
	const model = useRef(new LiveModel());
	const [, draw] = useState(0);
	const state = useRef<Omit<LiveScan, "model" | "refresh">>(START);
	const refresh = useRef<() => void>(() => {});
	useEffect(() => {
		const abort = new AbortController();
		let timer: ReturnType<typeof setTimeout> | null = null;
		// Hundreds of events may come at once; a frame now and then is enough for the eye.
		const redraw = () => {
			timer ??= setTimeout(() => {
				timer = null;
				draw((n) => n + 1);
			}, DRAW_MS);
		};
		const change = (next: Partial<LiveScan>) => {
			state.current = { ...state.current, ...next };
			redraw();
		};
		const poller = pollStatus(word, abort.signal, model.current, change);
		refresh.current = poller.soon;
		poller.first.then((scanId) => {
			if (scanId === null) return;
			const follow = (event: Parameters<LiveModel["apply"]>[0]) => {
				model.current.apply(event);
				if (model.current.ended) poller.soon();
				redraw();
			};
			followScan(scanId, abort.signal, follow, (stream) => change({ stream })).catch((problem: Error) =>
				change({ problem }),
			);
		});
		return () => {
			abort.abort();
			if (timer) clearTimeout(timer);
		};
	}, [word]);
	return { ...state.current, model: model.current, refresh: () => refresh.current() };
}

const START = {
	status: null,
	stream: "connecting" as StreamState,
	problem: null,
	unreachable: false,
	offsetMs: 0,
};

/** Reads the status now and then until the scan has ended; `first` resolves with its id, or null without one. */
function pollStatus(word: string, signal: AbortSignal, model: LiveModel, change: (next: Partial<LiveScan>) => void) {
	let wake: () => void = () => {};
	let scanId: string | null = null;
	let known: (id: string | null) => void = () => {};
	const first = new Promise<string | null>((resolve) => {
		known = resolve;
	});
	const run = async () => {
		while (!signal.aborted) {
			try {
				const { body, serverNowMs } = await statusOf(scanId ?? word);
				if (signal.aborted) return;
				scanId = body.scan_id;
				model.advance(body.progress);
				change({ status: body, unreachable: false, offsetMs: serverNowMs - Date.now() });
				known(scanId);
				if (body.status !== "scanning") return;
			} catch (error) {
				if (signal.aborted) return;
				if (error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429) {
					change({ problem: error });
					known(null);
					return;
				}
				change({ unreachable: true });
			}
			await Promise.race([
				pause(STATUS_MS, signal),
				new Promise<void>((resolve) => {
					wake = resolve;
				}),
			]);
		}
	};
	void run();
	return { first, soon: () => wake() };
}
