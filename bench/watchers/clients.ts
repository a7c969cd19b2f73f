/**
 * Watchers of event streams, in a process of their own so that they take nothing from the API's: told by its parent
 * which scans to watch, it reports when all streams stand and, once all have ended, what each of them got.
 */
import { type Stream, watchEvents } from "./stream.ts";

interface Order {
	url: string;
	token: string;
	scan_ids: string[];
	watchers: number;
}

export type ClientReport =
	| { kind: "standing" }
	/** `broken`: streams with a gap, a repetition or no end. */
	| { kind: "done"; arrivals: Arrivals; broken: number };

/** Column by column: which scan, by its place in the order; which entry; when it arrived, epoch ms. */
export interface Arrivals {
	scan: number[];
	seq: number[];
	at_ms: number[];
}

const AT_ONCE = 50;

function watchOne({ url, token, scan_ids }: Order, scan: number, arrivals: Arrivals): Stream {
	return watchEvents({ url, token, scan_id: scan_ids[scan] ?? "" }, (seq, at_ms) => {
		arrivals.scan.push(scan);
		arrivals.seq.push(seq);
		arrivals.at_ms.push(at_ms);
	});
}

process.once("message", async (order: Order) => {
	const arrivals: Arrivals = { scan: [], seq: [], at_ms: [] };
	const streams: Stream[] = [];
	for (let from = 0; from < order.watchers; from += AT_ONCE) {
		const opened = Array.from({ length: Math.min(AT_ONCE, order.watchers - from) }, (_, i) =>
			watchOne(order, (from + i) % order.scan_ids.length, arrivals),
		);
		await Promise.all(opened.map(({ stands }) => stands));
		streams.push(...opened);
	}
	process.send?.({ kind: "standing" } satisfies ClientReport);
	const ends = await Promise.all(streams.map(({ done }) => done));
	process.send?.({
		kind: "done",
		arrivals,
		broken: ends.filter(({ whole }) => !whole).length,
	} satisfies ClientReport);
});
