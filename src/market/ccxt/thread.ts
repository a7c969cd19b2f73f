import type { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import { startWorker } from "../../worker-thread.ts";
import { onAbort } from "../abortable.ts";
import { MarketError, type ReadOptions } from "../contract.ts";
import type { SourceGate } from "../gate.ts";
import { createGateRelay } from "../gate-relay.ts";
import type { VenueSharing } from "../venue-sharing.ts";
import { type FromThread, portError, type ReadAnswer, type ReadName, type ReadOf, type ToThread } from "./protocol.ts";
import { createShareRelay } from "./share-relay.ts";

/** One read with all its requests and its waits at the gate. Who reads usually gives up earlier. */
export const READ_LIMIT_MS = 100_000;
/** Reads under way at once; those who read bound themselves far below. */
const READS_MAX = 4096;

export interface ExchangeThread {
	/** Loads the exchange. Rejects with an Error that says what is wrong with its id. */
	open(venue: string, signal: AbortSignal): Promise<void>;
	/** Rejects with MarketError or, as soon as it aborts, the signal's reason. */
	read<N extends ReadName>(
		venue: string,
		name: N,
		of: ReadOf<N>,
		asker: Pick<ReadOptions, "signal" | "later" | "begun_ms">,
	): Promise<ReadAnswer<N>>;
	close(): Promise<void>;
}

interface Pending {
	resolve(value: unknown): void;
	reject(error: unknown): void;
}

/** The thread in which exchanges are read; it is started by the first call, and again if it should die. */
export function createExchangeThread(options: {
	baseUrl: string | null;
	gate: SourceGate;
	/** Null: there is no other process. */
	sharing?: VenueSharing | null;
	clock: Clock;
	readLimitMs?: number;
}): ExchangeThread {
	const { baseUrl, gate, clock, sharing = null } = options;
	const limitMs = options.readLimitMs ?? READ_LIMIT_MS;
	const pending = new Map<number, Pending>();
	const opened = new Set<string>();
	let worker: Worker | null = null;
	let closed = false;
	let calls = 0;

	const lose = (lost: Worker, why: string): void => {
		if (worker !== lost) return;
		worker = null;
		turns.clear(why);
		relay?.clear(why);
		const error = new MarketError("fetch_failed", why, !closed);
		for (const { reject } of [...pending.values()]) reject(error);
	};

	const start = (): Worker => {
		const started = startWorker("./exchange-worker", import.meta.url);
		started.on("message", (message: FromThread) => receive(message));
		started.on("error", (error) => lose(started, `the thread of exchanges failed: ${error.message}`));
		started.on("exit", () => lose(started, "the thread of exchanges has ended"));
		worker = started;
		// A thread that replaces a dead one opens what the dead one had open; reads wait for it there.
		for (const venue of opened) send(opening(++calls, venue));
		return started;
	};
	const send = (message: ToThread): void => (worker ?? start()).postMessage(message);
	const opening = (id: number, venue: string): ToThread => ({
		kind: "open",
		id,
		venue,
		baseUrl,
		shares: sharing !== null,
	});
	const relay = sharing && createShareRelay(sharing, (message) => worker?.postMessage(message));

	const turns = createGateRelay(gate, (message) => worker?.postMessage(message));

	const receive = (message: FromThread): void => {
		if (message.kind === "answer") pending.get(message.id)?.resolve(message.value);
		else if (message.kind === "failure") pending.get(message.id)?.reject(portError(message.error));
		else if (message.kind === "take" || message.kind === "untake" || message.kind === "report") turns.receive(message);
		else relay?.receive(message);
	};

	const call = (make: (id: number) => ToThread, signal: AbortSignal): Promise<unknown> => {
		if (signal.aborted) return Promise.reject(signal.reason);
		if (closed) return Promise.reject(new MarketError("fetch_failed", "the market is closed", false));
		if (pending.size >= READS_MAX)
			return Promise.reject(new MarketError("fetch_failed", "too many reads of exchanges wait", true));
		const id = ++calls;
		return new Promise((resolve, reject) => {
			const give = (error: unknown, late: boolean) => {
				if (worker) send({ kind: "abort", id, late });
				end();
				reject(error);
			};
			const timeout = () => give(new MarketError("timeout", `no whole answer within ${limitMs} ms`, true), true);
			const timer = clock.setTimeout(timeout, limitMs);
			const late = () => (signal.reason as { code?: unknown } | null)?.code === "timeout";
			const forget = onAbort(signal, () => give(signal.reason, late()));
			const end = () => {
				pending.delete(id);
				clock.clearTimeout(timer);
				forget();
			};
			const settle =
				<T>(with_: (value: T) => void) =>
				(value: T) => {
					end();
					with_(value);
				};
			pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
			send(make(id));
		});
	};

	return {
		async open(venue, signal) {
			await call((id) => opening(id, venue), signal);
			opened.add(venue);
		},
		read: <N extends ReadName>(
			venue: string,
			name: N,
			of: ReadOf<N>,
			{ signal, later = false, begun_ms = null }: Pick<ReadOptions, "signal" | "later"> & { begun_ms?: number | null },
		) =>
			call((id) => ({ kind: "read", id, venue, name, of, asker: { later, begun_ms } }), signal) as Promise<
				ReadAnswer<N>
			>,
		async close() {
			closed = true;
			const last = worker;
			if (last === null) return;
			lose(last, "the market is closed");
			await last.terminate();
		},
	};
}
