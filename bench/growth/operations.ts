import { systemClock } from "../../src/clock.ts";
import { NO_WAIT } from "../../src/queries/long-poll.ts";
import type { Commit } from "../../src/store/write-contract.ts";
import { watchdogOn } from "../../test/support/stuck.ts";
import { type HeldScan, holdScan } from "./held.ts";
import type { Loader } from "./loader.ts";
import { type Cost, costOf, runsFor } from "./meter.ts";
import { recovery } from "./recovery.ts";
import { requested, startsOverHttp, told } from "./requests.ts";
import { type Scene, type Subject, times } from "./scene.ts";
import { USUAL } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";

export type OperationName = keyof typeof OPERATIONS;

const LIST = {
	status: null,
	strategy: null,
	symbol: null,
	from_ms: null,
	to_ms: null,
	limit: 20,
	cursor: null,
};
const HISTORY_LIMIT = 20;
const JOURNAL_LIMIT = 100;
const PURGED_AT_ONCE = 50;

/** Each of so many things, one after another. */
async function each<T>(count: number, make: () => Promise<T>): Promise<T[]> {
	const made: T[] = [];
	for (let n = 0; n < count; n++) made.push(await make());
	return made;
}

/** What takes a fraction of a millisecond is run more often. */
const CHEAP_TIMES = 10;

/** The commit with the most entries of one scan of the shape. */
async function largestCommit({ stage, subject: { shape } }: Scene): Promise<Commit> {
	const commits: Commit[] = [];
	const scanId = await stage.start(newUser(), shape);
	const { writer } = stage.store;
	const commit = (one: Commit) => {
		commits.push(one);
		return writer.commit(one);
	};
	await stage.run(scanId, shape, { ...writer, commit });
	const largest = commits.filter(({ ended }) => !ended).sort((a, b) => b.entries.length - a.entries.length)[0];
	if (!largest) throw new Error("a scan without a commit");
	return largest;
}

async function oneCommit(scene: Scene): Promise<Cost> {
	const { stage, subject, runs } = scene;
	const { writer } = stage.store;
	const largest = await largestCommit(scene);
	const user = newUser();
	const commits = await each(runs, async (): Promise<Commit> => {
		const scan_id = await stage.start(user, subject.shape);
		const claim = await writer.claim(scan_id, "worker-bench", scan_id, largest.lease_ms, "normal");
		if (claim.kind !== "granted") throw new Error(`a scan of the bench is ${claim.kind}`);
		return { ...largest, scan_id, epoch: claim.record.epoch, base_seq: claim.record.revision };
	});
	const cost = await costOf(stage.client, commits, async (commit) => {
		const answer = await writer.commit(commit);
		if (answer !== "ok") throw new Error(`a commit of the bench is ${answer}`);
	});
	const ids = commits.map(({ scan_id }) => scan_id);
	await writer.erase(user.user_id, ids);
	return cost;
}

/** A pass of a process without a worker, its walk over the keys included: time stands still between passes otherwise. */
async function watchdogPass({ stage, runs }: Scene): Promise<Cost> {
	let now = systemClock.now();
	const { watchdog } = watchdogOn(stage.store, null, { clock: { ...systemClock, now: () => now } });
	return costOf(stage.client, times(runs), () => {
		now += 2_000;
		return watchdog.pass();
	});
}

type Ask = (scene: Scene, queries: ReturnType<Stage["queries"]>) => Promise<unknown>;

/** A question to a read side that remembers nothing, or (`known`) that has just answered the same. */
const asked =
	(ask: Ask, known = false) =>
	async (scene: Scene): Promise<Cost> => {
		const held = scene.stage.queries();
		if (known) await ask(scene, held);
		const runs = known ? CHEAP_TIMES * scene.runs : scene.runs;
		return costOf(scene.stage.client, times(runs), () => ask(scene, known ? held : scene.stage.queries()));
	};

const status: Ask = ({ subject: { user, scanId } }, { scans }) => scans.status(user, scanId, NO_WAIT, undefined);
const results: Ask = ({ subject: { user, scanId } }, { scans }) => scans.results(user, scanId, NO_WAIT);

/** One small commit at a time. */
async function smallCommit({ stage, subject: { shape }, runs }: Scene): Promise<Cost> {
	const held: HeldScan = await holdScan(stage, newUser(), shape);
	const cost = await costOf(stage.client, times(CHEAP_TIMES * runs), () => held.commit());
	await stage.store.writer.erase(held.user.user_id, [held.scanId]);
	return cost;
}

/** What takes seconds is run less often. */
const LONG_RUNS = 3;

/** Every operation by name: what one run costs. */
export const OPERATIONS = {
	start: async ({ stage, subject, runs }: Scene) => {
		const started: string[] = [];
		const cost = await costOf(stage.client, times(runs), async () => {
			started.push(await stage.start(subject.user, subject.shape));
		});
		await stage.store.writer.erase(subject.user.user_id, started);
		return cost;
	},
	commit: oneCommit,
	"whole scan": async ({ stage, subject: { shape }, runs }: Scene) => {
		const ids = await each(runs, () => stage.start(newUser(), shape));
		return costOf(stage.client, ids, (scanId) => stage.run(scanId, shape));
	},
	"end of a scan": async ({ stage, subject: { user }, runs }: Scene) => {
		// What of a run depends on its user: claiming, running and booking a scan of usual size.
		const ids = await each(runs, () => stage.start(user, USUAL));
		const cost = await costOf(stage.client, ids, (scanId) => stage.run(scanId, USUAL));
		await stage.store.writer.erase(user.user_id, ids);
		return cost;
	},
	"status, first": asked(status),
	"status, again": asked(status, true),
	"status of latest": asked(({ subject: { user } }, { scans }) => scans.status(user, "latest", NO_WAIT, undefined)),
	"results, first": asked(results),
	"results, again": asked(results, true),
	"list of scans": asked(({ subject: { user } }, { scanList }) => scanList.list(user, LIST)),
	"list, nothing fits": asked(({ subject: { user } }, { scanList }) =>
		scanList.list(user, { ...LIST, symbol: "NOTHING/USDT" }),
	),
	history: asked(({ subject: { user } }, { diagnostics }) => diagnostics.history(user.user_id, HISTORY_LIMIT)),
	"metrics of a user": asked(({ subject: { user } }, { diagnostics }) => diagnostics.scanMetrics(user.user_id, true)),
	metrics: asked((_, { diagnostics }) => diagnostics.metrics()),
	journal: asked(({ subject: { user, scanId } }, { journal }) => journal.page(user, scanId, 0, JOURNAL_LIMIT)),
	lifecycle: asked(({ subject: { user, scanId } }, { diagnostics }) => diagnostics.lifecycle(user, scanId)),
	debug: asked(({ subject: { user, scanId } }, { diagnostics }) => diagnostics.debug(user, scanId)),
	"state then": async (scene: Scene) => {
		const { stage, subject } = scene;
		const last = (await stage.store.reader.read(subject.scanId))?.revision ?? 1;
		return asked((_, { journal }) => journal.stateAt(subject.user, subject.scanId, last))(scene);
	},
	"stuck scans": asked((_, { diagnostics }) => diagnostics.stuckScans()),
	"watchdog pass": watchdogPass,
	[`purge of ${PURGED_AT_ONCE}`]: async ({ stage, loader, runs }: Scene) => {
		await loader.overdueTombstones(PURGED_AT_ONCE * runs);
		return costOf(stage.client, times(runs), async () => {
			const purged = await stage.store.writer.purgeTombstones(PURGED_AT_ONCE);
			if (purged !== PURGED_AT_ONCE) throw new Error(`${purged} tombstones were purged`);
		});
	},
	"start over HTTP": startsOverHttp,
	"status over HTTP": requested(({ scanId }) => `/opportunities/status/${scanId}`),
	"results over HTTP": requested(({ scanId }) => `/opportunities/results/${scanId}`),
	"list over HTTP": requested(() => `/opportunities/scans?limit=${LIST.limit}`),
	"history over HTTP": requested(({ user }) => `/scan-diagnostics/scan-history/${user.user_id}?limit=${HISTORY_LIMIT}`),
	"all events over HTTP": requested(({ scanId }) => `/opportunities/scans/${scanId}/events`),
	"event to its watchers": told(() => 1),
	"event of each watched scan": told(({ scans }) => scans.length),
	"small commit": smallCommit,
	"recovery of a lost scan": ({ stage, runs }: Scene) => recovery(stage, 1, runs),
	"recovery of all": ({ stage, subject: { lost = 1 } }: Scene) => recovery(stage, lost, LONG_RUNS),
} satisfies Record<string, (scene: Scene) => Promise<Cost>>;

/** What one run of the operation costs, over `measured` runs. */
export function measureOperation(
	name: OperationName,
	stage: Stage,
	loader: Loader,
	subject: Subject,
	measured: number,
): Promise<Cost> {
	return OPERATIONS[name]({ stage, loader, subject, runs: runsFor(measured) });
}
