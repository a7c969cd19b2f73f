import { type Stream, watchEvents } from "../watchers/stream.ts";
import type { Api } from "./api.ts";
import type { HeldScan } from "./held.ts";

/** Scans of which event streams of the API process are open. */
export interface Watching {
	scans: readonly HeldScan[];
	/** Opens more streams. */
	watch(scan: HeldScan, count: number): Promise<void>;
	/** Commits one entry of each of so many scans; resolves when all their watchers have it. */
	tell(scans: number): Promise<void>;
	close(): void;
}

const AT_ONCE = 50;
const LIMIT_MS = 30_000;

interface Heard {
	scan: HeldScan;
	streams: Stream[];
	/** Watchers that have got the entry of this number. */
	by: Map<number, number>;
	all: () => void;
}

export function createWatching(api: Api): Watching {
	const heard: Heard[] = [];

	async function watch(scan: HeldScan, count: number): Promise<void> {
		const found = heard.find((one) => one.scan === scan);
		const one: Heard = found ?? { scan, streams: [], by: new Map(), all: () => {} };
		if (!found) heard.push(one);
		const token = await api.tokenOf(scan.user);
		const told = (seq: number) => {
			const by = (one.by.get(seq) ?? 0) + 1;
			one.by.set(seq, by);
			if (by >= one.streams.length && seq === scan.seq) one.all();
		};
		for (let left = count; left > 0; left -= AT_ONCE) {
			const more = Array.from({ length: Math.min(left, AT_ONCE) }, () =>
				watchEvents({ url: api.url, token, scan_id: scan.scanId }, told),
			);
			// A stream that is closed at the end of the bench breaks off.
			for (const { done } of more) done.catch(() => undefined);
			one.streams.push(...more);
			await Promise.all(more.map(({ stands }) => stands));
		}
	}

	function tellOne(one: Heard): Promise<void> {
		return new Promise((resolve, reject) => {
			const late = setTimeout(() => reject(new Error("watchers of the bench hear nothing")), LIMIT_MS);
			one.by.clear();
			one.all = () => {
				clearTimeout(late);
				resolve();
			};
			one.scan.commit().catch(reject);
		});
	}

	return {
		get scans() {
			return heard.map(({ scan }) => scan);
		},
		watch,
		async tell(scans) {
			await Promise.all(heard.slice(0, scans).map(tellOne));
		},
		close() {
			for (const { close } of heard.flatMap(({ streams }) => streams)) close();
		},
	};
}
