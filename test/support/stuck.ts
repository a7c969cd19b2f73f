import type { ScanLimits } from "../../machines/types.ts";
import { systemClock } from "../../src/clock.ts";
import { finishStart } from "../../src/commands.ts";
import { book } from "../../src/runtime/booking.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { createWatchdog, type Watchdog, type WatchdogDeps } from "../../src/runtime/watchdog.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { testLogger } from "./store.ts";
import { commandDeps, commandsOn, settings, startRequest, viewer } from "./system.ts";

/** What the tests of stuck scans share: starts at a chosen time, waiting by commits, watchdogs with a memory. */
export interface Told {
	level: "info" | "warn" | "error";
	message: string;
}

/** A log that remembers, so that a test can say that nothing was complained of. */
export function rememberingLog() {
	const told: Told[] = [];
	const at = (level: Told["level"]) => (_: object, message: string) => void told.push({ level, message });
	return { told, log: { info: at("info"), warn: at("warn"), error: at("error") } };
}

/** The same writer for a process whose clock of the store is `offsetMs` off. */
export const shifted = (writer: ScanWriter, offsetMs: number): ScanWriter => ({
	...writer,
	now: () => writer.now() + offsetMs,
});

let users = 0;

/** A new scan of a new user that was accepted `agoMs` ago and is not in any queue. */
export async function acceptedScan(store: ScanStore, limits: Partial<ScanLimits> = {}, agoMs = 0): Promise<string> {
	users += 1;
	const enqueue = async () => {};
	const deps = commandDeps(store, enqueue);
	const commands = commandsOn(store, enqueue, {
		writer: shifted(store.writer, -agoMs),
		settings: { ...deps.settings, limits: { ...deps.settings.limits, ...limits } },
	});
	return (await commands.startScan(viewer(10_000 + users), startRequest())).scan_id;
}

export async function recordOf(store: ScanStore, scanId: string): Promise<ScanRecord> {
	const found = await store.reader.read(scanId);
	if (!found) throw new Error(`${scanId} is not found`);
	return found;
}

/** Resolves when the record satisfies `wanted`; woken by commits, bounded. */
export async function untilRecord(
	store: ScanStore,
	scanId: string,
	wanted: (found: ScanRecord) => boolean,
): Promise<ScanRecord> {
	const signal = AbortSignal.timeout(15_000);
	for (;;) {
		const found = await recordOf(store, scanId);
		if (wanted(found)) return found;
		if (signal.aborted) throw new Error(`waited in vain: ${found.position} at ${found.revision}`);
		await store.reader.nextCommit(scanId, 200, signal);
	}
}

/** Resolves when the store no longer counts the scan as held. */
export async function untilLeaseIsOver(store: ScanStore, scanId: string): Promise<void> {
	const signal = AbortSignal.timeout(15_000);
	for (;;) {
		const leftMs = ((await recordOf(store, scanId)).lease_until_ms ?? 0) - store.clock.now();
		if (leftMs <= 0) return;
		signal.throwIfAborted();
		await store.reader.nextCommit("scan_none", Math.min(leftMs + 1, 50), signal);
	}
}

export const ended = ({ terminal }: ScanRecord): boolean => terminal;

/** A watchdog of one process; `queued` collects what it hands to the queue. */
export function watchdogOn(
	store: ScanStore,
	runtime: Runtime | null,
	overrides: Partial<WatchdogDeps> = {},
): { watchdog: Watchdog; queued: string[] } {
	const queued: string[] = [];
	const deps = commandDeps(store, async (scanId) => void queued.push(scanId));
	const watchdog = createWatchdog({
		writer: store.writer,
		reader: store.reader,
		clock: systemClock,
		log: testLogger(),
		apply: deps.apply,
		runtime,
		finishStart: (userId, filterKey, scanId) => finishStart(deps, userId, filterKey, scanId),
		book: (record) => book(store.writer, record, 1_000),
		settings: { watchdog_ms: 500, lease_ms: settings.lease_ms },
		...overrides,
	});
	return { watchdog, queued };
}
