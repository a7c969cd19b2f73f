import type { ScanLimits } from "../../machines/types.ts";
import { systemClock } from "../../src/clock.ts";
import { type CommandDeps, createCommands } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { createBegunScans } from "../../src/runtime/begun-scans.ts";
import type { KeptRoom } from "../../src/runtime/kept-results.ts";
import type { RuntimeDeps } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { shifted } from "./stuck.ts";
import { commandDeps, quickEffects, runtimeOn, startRequest, viewer } from "./system.ts";

/** What the tests of scans share that the process runs which has begun them. */
let users = 20_000;
export const SHORT = { lease_ms: 500, heartbeat_ms: 100 };
export const CANCEL = { type: "scan.cancel_requested", by: "somebody", reason: null, superseded_by: null };
export const quick = quickEffects();

export interface Given {
	/** Parts of the store as this process meets it. */
	writer?: Partial<ScanWriter>;
	effects?: Partial<Effects>;
	limits?: Partial<ScanLimits>;
	settings?: RuntimeDeps["settings"];
	projections?: RuntimeDeps["projections"];
	keptRoom?: KeptRoom;
	/** Its starts are of so long ago. */
	agoMs?: number;
	/** Absent: a scan goes nowhere by itself. */
	enqueue?: CommandDeps["enqueue"];
	waiting?: CommandDeps["waiting"];
}

/** A process that starts scans and runs them; what it asks of the store is noted. */
export function beginner(
	store: ScanStore,
	{
		writer: overrides = {},
		effects = {},
		limits = {},
		agoMs = 0,
		enqueue = async () => {},
		waiting,
		...given
	}: Given = {},
) {
	const asked: string[] = [];
	const writer: ScanWriter = { ...store.writer, ...overrides };
	const noting: ScanWriter = {
		...writer,
		claim: (...claimed) => {
			asked.push("claim");
			return writer.claim(...claimed);
		},
		take: async (...taken) => {
			const answer = await writer.take(...taken);
			asked.push(`take ${answer.result}`);
			return answer;
		},
	};
	const begun = createBegunScans(systemClock);
	const runtime = runtimeOn(store, quickEffects(effects), { writer: noting, begun, ...given });
	const asks = waiting ? { waiting } : {};
	const deps = { ...commandDeps(store, enqueue), ...asks, writer: shifted(store.writer, -agoMs) };
	const settings = { ...deps.settings, limits: { ...deps.settings.limits, ...limits } };
	const commands = createCommands({ ...deps, settings, begun });
	/** A scan that joins no other, of that user or of a new one. */
	const start = async (user?: number): Promise<string> => {
		users += 1;
		return (await commands.startScan(viewer(user ?? users), startRequest({ filter_key: `key-${users}` }))).scan_id;
	};
	return { asked, runtime, commands, start };
}

/** Effects whose first phase waits until the test lets it `go`. */
export function waiting() {
	const go = deferred<void>();
	const effects: Partial<Effects> = {
		fetchPortfolio: (...given) => go.promise.then(() => quick.fetchPortfolio(...given)),
	};
	return { go, effects };
}

export const typesOf = async (store: ScanStore, scanId: string): Promise<string[]> =>
	(await store.reader.journal(scanId, 0, 1_000)).map(({ type }) => type);
