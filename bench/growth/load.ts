import { alone, around, type Dimension } from "./dimension.ts";
import { type HeldScan, holdScans } from "./held.ts";
import type { Subject } from "./scene.ts";
import { USUAL } from "./shape.ts";
import type { Stage } from "./stage.ts";
import { createWatching, type Watching } from "./streams.ts";

/** What goes on at once: scans in hand and lost, event streams, processes. */

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

export const ofLoad = (): Dimension[] => [
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
];
