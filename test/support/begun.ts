import type { ScanLimits } from "../../machines/types.ts";
import { type CommandDeps, createCommands } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import type { Place } from "../../src/queue/dispatch.ts";
import type { KeptRoom } from "../../src/runtime/kept-results.ts";
import type { RuntimeDeps } from "../../src/runtime/runtime.ts";
import type { StoredPortfolio } from "../../src/services.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { shifted } from "./stuck.ts";
import { commandDeps, quickEffects, runtimeOn, startRequest, viewer } from "./system.ts";

/** What the tests of scans share that the process runs which has begun them. */
let users = 20_000;
/** Number of the last user who was made for a start. */
export const lastUser = (): number => users;
export const SHORT = { lease_ms: 500, heartbeat_ms: 100 };
export const CANCEL = { type: "scan.cancel_requested", by: "somebody", reason: null, superseded_by: null };
export const quick = quickEffects();

/** Of a user who has never stored a portfolio or an exchange account. */
export const NOTHING_STORED: StoredPortfolio = { positions: [], cash_usd: 0, version: 0, updated_at: null };

export interface Given {
	/** What the starter has stored. Absent: nothing. */
	stored?: StoredPortfolio;
	/** Parts of the store as its runs meet it. */
	writer?: Partial<ScanWriter>;
	/** The same as its starts meet it. */
	starting?: Partial<ScanWriter>;
	effects?: Partial<Effects>;
	limits?: Partial<ScanLimits>;
	settings?: RuntimeDeps["settings"];
	keptRoom?: KeptRoom;
	/** Where its runs read. Absent: in the store. */
	reader?: RuntimeDeps["reader"];
	/** A running scan of that age is superseded by a forced start. */
	forceJoinMs?: number;
	/** Its starts are of so long ago. */
	agoMs?: number;
	/** Absent: what is queued goes nowhere. */
	enqueue?: CommandDeps["enqueue"];
	/** Absent: nothing waits. */
	waiting?: CommandDeps["waiting"];
	/** Absent: there is always a place. */
	reserve?: CommandDeps["reserve"];
	/** Absent: every start asks. */
	memory?: CommandDeps["memory"];
}

/** A process that starts scans and runs them past the queue; how it came by them is noted. */
export function beginner(
	store: ScanStore,
	{
		writer: overrides = {},
		starting = {},
		effects = {},
		limits = {},
		agoMs = 0,
		forceJoinMs,
		enqueue = async () => {},
		waiting = async () => 0,
		reserve,
		memory,
		stored = NOTHING_STORED,
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
	};
	const runtime = runtimeOn(store, quickEffects(effects), { writer: noting, ...given });
	const here = (scanId: string): Place | null => {
		const reservation = runtime.reserve(scanId);
		return (
			reservation && {
				...reservation,
				run(taken) {
					asked.push(taken ? "run as claimed" : "run");
					reservation.run(taken);
				},
			}
		);
	};
	const deps = {
		...commandDeps(store, enqueue),
		portfolios: { get: async () => stored, put: async () => null },
		waiting,
		reserve: reserve ?? here,
		...(memory && { memory }),
		writer: { ...shifted(store.writer, -agoMs), ...starting },
	};
	const { force_join_ms } = deps.settings;
	const settings = {
		...deps.settings,
		force_join_ms: forceJoinMs ?? force_join_ms,
		limits: { ...deps.settings.limits, ...limits },
	};
	const commands = createCommands({ ...deps, settings });
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
