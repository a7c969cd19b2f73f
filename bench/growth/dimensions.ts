import { type HeldScan, holdScans } from "./held.ts";
import type { Loader } from "./loader.ts";
import type { OperationName, Subject } from "./operations.ts";
import { type Shape, USUAL } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";
import { createWatching, type Watching } from "./streams.ts";

/**
 * How a cost may grow: not at all (a logarithm counts as that), in proportion, or in proportion where it is done while
 * Redis does as much as before.
 */
export type Growing = "constant" | "linear" | "linear, Redis constant";

/** One thing that grows, the operations that meet it, and how each of them may grow with it. */
export interface Dimension {
	name: string;
	sizes: readonly number[];
	operations: Partial<Record<OperationName, Growing>>;
	/** Brings what is stored to this size (sizes are asked for in order) and gives what to measure on. */
	grow(stage: Stage, loader: Loader, size: number): Promise<Subject>;
	/** Takes away what would weigh on other dimensions. */
	clear?(stage: Stage): Promise<void>;
}

const alone = async (stage: Stage, shape: Shape): Promise<Subject> => {
	const user = newUser();
	return { user, scanId: await stage.finished(user, shape), shape };
};

/** A subject that stays the same while something else grows around it; `more` tells it of the size. */
function around(
	grow: (stage: Stage, loader: Loader, added: number, subject: Subject) => Promise<void>,
	more: (size: number) => Partial<Subject> = () => ({}),
) {
	let subject: Subject | null = null;
	let held = 0;
	return async (stage: Stage, loader: Loader, size: number): Promise<Subject> => {
		subject ??= await alone(stage, USUAL);
		await grow(stage, loader, size - held, subject);
		held = size;
		return { ...subject, ...more(size) };
	};
}

const ofOneScan = (growing: Growing) =>
	({
		start: growing,
		commit: growing,
		"whole scan": growing,
		"status, first": growing,
		"results, first": growing,
		lifecycle: growing,
		debug: growing,
		"state then": growing,
		"status over HTTP": growing,
		"results over HTTP": growing,
		"all events over HTTP": growing,
	}) as const;

const OF_ALL_USERS = {
	start: "constant",
	"end of a scan": "constant",
	"status, first": "constant",
	"status, again": "constant",
	"results, first": "constant",
	"list of scans": "constant",
	history: "constant",
	"metrics of a user": "constant",
	metrics: "constant",
	journal: "constant",
	lifecycle: "constant",
	"stuck scans": "constant",
	"watchdog pass": "constant",
	"purge of 50": "constant",
	"start over HTTP": "constant",
	"status over HTTP": "constant",
	"results over HTTP": "constant",
	"list over HTTP": "constant",
	"history over HTTP": "constant",
	"all events over HTTP": "constant",
	"recovery of a lost scan": "constant",
} as const;

/** @param all how what passes over all of a user's scans may grow with them. */
const ofOneUser = (all: Growing) =>
	({
		start: "constant",
		"end of a scan": "constant",
		"status of latest": "constant",
		"list of scans": "constant",
		"metrics of a user": "constant",
		"start over HTTP": "constant",
		"status over HTTP": "constant",
		"list over HTTP": "constant",
		"list, nothing fits": all,
		history: all,
		"history over HTTP": all,
	}) as const;

/** Claimed by a worker that never comes back, their leases and deadlines far away. */
function runningScans(): Dimension {
	const running: HeldScan[] = [];
	return {
		name: "running scans",
		sizes: [100, 400, 1_600],
		operations: {
			start: "constant",
			"status, again": "constant",
			metrics: "constant",
			"stuck scans": "linear",
			// Of the thousand keys of its walk more belong to running scans, which are looked at more closely.
			"watchdog pass": "linear",
			"start over HTTP": "constant",
			"status over HTTP": "constant",
			"recovery of a lost scan": "constant",
		},
		grow: around(async (stage, _, added) => void running.push(...(await holdScans(stage, added, USUAL)))),
		clear: (stage) => eraseAll(stage, running),
	};
}

async function eraseAll(stage: Stage, scans: readonly HeldScan[]): Promise<void> {
	for (const { user, scanId } of scans) await stage.store.writer.erase(user.user_id, [scanId]);
}

/** Event streams of the API process; `scansOf` and `watchersOf` one scan say how a size is dealt out. */
function streams(
	name: string,
	sizes: readonly number[],
	operations: Dimension["operations"],
	scansOf: (size: number) => number,
	watchersOf: (size: number) => number,
): Dimension {
	let watching: Watching | null = null;
	const scans: HeldScan[] = [];
	let [watchers, subject]: [number, Subject | null] = [0, null];
	return {
		name,
		sizes,
		operations,
		async grow(stage, _, size) {
			watching ??= createWatching(await stage.api());
			subject ??= await alone(stage, USUAL);
			for (const scan of scans) await watching.watch(scan, watchersOf(size) - watchers);
			const more = await holdScans(stage, scansOf(size) - scans.length, USUAL);
			for (const scan of more) await watching.watch(scan, watchersOf(size));
			scans.push(...more);
			watchers = watchersOf(size);
			return { ...subject, watching };
		},
		async clear(stage) {
			watching?.close();
			await eraseAll(stage, scans);
		},
	};
}

/** Each opens the store as an API process or a worker does. */
function processes(): Dimension {
	const others: Awaited<ReturnType<Stage["another"]>>[] = [];
	return {
		name: "processes on one Redis",
		sizes: [4, 16, 64],
		operations: { "small commit": "constant" },
		grow: around(async (stage, _, added) => {
			for (let n = 0; n < added; n++) others.push(await stage.another());
		}),
		async clear() {
			await Promise.all(others.splice(0).map((other) => other.close()));
		},
	};
}

/** @param keptMost finished scans that fit into memory. */
export function dimensions(keptMost: number): Dimension[] {
	const kept = [15_625, 62_500, 250_000, 1_000_000].filter((size) => size <= keptMost);
	return [
		{
			name: "strategies of a scan",
			sizes: [14, 56, 224],
			operations: { ...ofOneScan("linear"), "status, again": "constant", "results, again": "constant" },
			grow: (stage, _, strategies) => alone(stage, { ...USUAL, strategies }),
		},
		{
			name: "rows of a scan",
			sizes: [50, 200, 800],
			operations: {
				...ofOneScan("linear"),
				start: "constant",
				"status, again": "constant",
				"results, again": "linear",
				journal: "linear",
			},
			grow: (stage, _, rows) => alone(stage, { ...USUAL, rows }),
		},
		{
			name: "rows of a scan, four to a report",
			sizes: [56, 224, 896],
			operations: { "whole scan": "linear", journal: "linear", "state then": "linear" },
			grow: (stage, _, rows) => alone(stage, { ...USUAL, rows, reports: rows / (USUAL.strategies * 4) }),
		},
		runningScans(),
		{
			name: "scans lost with their worker",
			sizes: [20, 80, 320],
			operations: { "recovery of all": "linear" },
			grow: around(
				async () => {},
				(lost) => ({ lost }),
			),
		},
		streams(
			"watchers of one scan",
			[60, 240, 960],
			{ "event to its watchers": "linear, Redis constant" },
			() => 1,
			(size) => size,
		),
		streams(
			"watched scans",
			[16, 64, 256],
			{ "event to its watchers": "constant", "event of each watched scan": "linear" },
			(size) => size,
			() => 1,
		),
		processes(),
		{
			name: "a user's retained scans",
			sizes: [125, 500, 2_000],
			operations: ofOneUser("linear"),
			grow: around((_, loader, added, { user }) => loader.finishedOf(user, added)),
		},
		{
			name: "a user's expired scans",
			sizes: [1_000, 4_000, 16_000],
			operations: ofOneUser("constant"),
			grow: around((_, loader, added, { user }) => loader.expiredOf(user, added)),
		},
		{
			name: "users, a scan each",
			sizes: [1_000, 4_000, 16_000],
			operations: OF_ALL_USERS,
			grow: around((_, loader, added) => loader.finished(added, added)),
		},
		{
			name: "finished scans kept",
			sizes: kept,
			operations: OF_ALL_USERS,
			grow: around((_, loader, added) => loader.finished(added, 10_000)),
		},
	];
}
