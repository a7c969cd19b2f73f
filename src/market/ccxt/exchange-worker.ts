/**
 * Thread entry of the exchanges: ccxt parses megabytes of JSON here, so that the event loop of the program never
 * waits for it. Columns go back over shared memory. The gate is asked by message, because the budget lies in Redis
 * and its client in the program.
 */
import { parentPort } from "node:worker_threads";
import { systemClock } from "../../clock.ts";
import { MarketError } from "../contract.ts";
import { createThreadGate } from "../gate-thread.ts";
import { plainError } from "../plain-error.ts";
import { type Asker, asMarketError, type FromThread, type ToThread } from "./protocol.ts";
import { createThreadSharing } from "./share-thread.ts";
import { openVenue, type VenueReads } from "./venue.ts";

const venues = new Map<string, Promise<VenueReads>>();
const calls = new Map<number, AbortController>();

const send = (message: FromThread, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer);
const sharing = createThreadSharing(send);
const gate = createThreadGate(send, asMarketError);

/** Runs under a signal that the program can abort, and answers with what comes of it. */
async function answer(id: number, work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
	const own = new AbortController();
	calls.set(id, own);
	try {
		send({ kind: "answer", id, value: await work(own.signal) });
	} catch (error) {
		send({ kind: "failure", id, error: plainError(error) });
	} finally {
		calls.delete(id);
	}
}

async function open({ venue, baseUrl, shares }: Extract<ToThread, { kind: "open" }>): Promise<null> {
	const share = shares ? { share: sharing.of(venue) } : {};
	const opening = openVenue({ id: venue, baseUrl, gate, clock: systemClock, ...share });
	venues.set(venue, opening);
	await opening;
	return null;
}

async function read(message: Extract<ToThread, { kind: "read" }>, signal: AbortSignal): Promise<unknown> {
	const venue = await venues.get(message.venue);
	if (!venue) throw new MarketError("not_supported", `no venue '${message.venue}' is open`, false);
	const call = venue[message.name] as (of: unknown, signal: AbortSignal, asker: Asker) => Promise<unknown>;
	return call(message.of, signal, message.asker);
}

parentPort?.on("message", (message: ToThread) => {
	if (message.kind === "open") void answer(message.id, () => open(message));
	else if (message.kind === "read") void answer(message.id, (signal) => read(message, signal));
	else if (message.kind === "taken") gate.receive(message);
	else if (message.kind === "fetch" || message.kind === "shared") sharing.receive(message);
	else {
		const reason = new MarketError(message.late ? "timeout" : "fetch_failed", "the call was given up", true);
		calls.get(message.id)?.abort(reason);
	}
});
