import type { Loader } from "./loader.ts";
import type { OperationName, Subject } from "./operations.ts";
import { type Shape, USUAL } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";

/** How a cost may grow: not at all (a logarithm counts as that), or in proportion. */
export type Growing = "constant" | "linear";

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

const LEASE_MS = 86_400_000;

const alone = async (stage: Stage, shape: Shape): Promise<Subject> => {
	const user = newUser();
	return { user, scanId: await stage.finished(user, shape), shape };
};

/** A subject that stays the same while something else grows around it. */
function around(grow: (stage: Stage, loader: Loader, added: number, subject: Subject) => Promise<void>) {
	let subject: Subject | null = null;
	let held = 0;
	return async (stage: Stage, loader: Loader, size: number): Promise<Subject> => {
		subject ??= await alone(stage, USUAL);
		await grow(stage, loader, size - held, subject);
		held = size;
		return subject;
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
} as const;

const OF_ONE_USER = {
	start: "constant",
	"end of a scan": "constant",
	"status of latest": "constant",
	"list of scans": "constant",
	"metrics of a user": "constant",
} as const;

/** Claimed by a worker that never comes back, their leases and deadlines far away. */
function runningScans(): Dimension {
	const running: [userId: string, scanId: string][] = [];
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
		},
		grow: around(async (stage, _, added) => {
			for (let n = 0; n < added; n++) {
				const user = newUser();
				const scanId = await stage.start(user, USUAL);
				await stage.store.writer.claim(scanId, "worker-bench", scanId, LEASE_MS, "normal");
				running.push([user.user_id, scanId]);
			}
		}),
		async clear(stage) {
			for (const [userId, scanId] of running) await stage.store.writer.erase(userId, [scanId]);
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
		runningScans(),
		{
			name: "a user's retained scans",
			sizes: [125, 500, 2_000],
			operations: { ...OF_ONE_USER, "list, nothing fits": "linear", history: "linear" },
			grow: around((_, loader, added, { user }) => loader.finishedOf(user, added)),
		},
		{
			name: "a user's expired scans",
			sizes: [1_000, 4_000, 16_000],
			operations: { ...OF_ONE_USER, "list, nothing fits": "constant", history: "constant" },
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
