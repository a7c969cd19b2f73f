/**
 * Watchers of event streams, in a process of their own so that they take nothing from the API's: told by its parent
 * which scans to watch, it reports when all streams stand and, once all have ended, what each of them got.
 */
import http from "node:http";
import { systemClock } from "../../src/clock.ts";

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

function watchOne({ url, token, scan_ids }: Order, scan: number, arrivals: Arrivals) {
	let standing = () => {};
	const stands = new Promise<void>((resolve) => {
		standing = resolve;
	});
	let last = 0;
	let whole = true;
	let ended = false;
	const done = new Promise<{ last: number; whole: boolean }>((resolve, reject) => {
		const path = `${url}/api/v1/opportunities/scans/${scan_ids[scan]}/events`;
		const request = http.get(path, { agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
			if (response.statusCode !== 200) reject(new Error(`the stream was refused with ${response.statusCode}`));
			let text = "";
			response.setEncoding("utf8").on("data", (chunk: string) => {
				const nowMs = systemClock.now();
				text += chunk;
				const end = text.lastIndexOf("\n\n");
				const blocks = text.slice(0, end + 2);
				text = text.slice(end + 2);
				if (blocks.includes("event: end\n")) ended = true;
				for (const [, seq = "0"] of blocks.matchAll(/^id: (\d+)$/gm)) {
					whole &&= Number(seq) === last + 1;
					last = Number(seq);
					standing();
					arrivals.scan.push(scan);
					arrivals.seq.push(last);
					arrivals.at_ms.push(nowMs);
				}
			});
			response.on("end", () => resolve({ last, whole: whole && ended }));
		});
		request.on("error", reject);
	});
	return { stands, done };
}

process.once("message", async (order: Order) => {
	const arrivals: Arrivals = { scan: [], seq: [], at_ms: [] };
	const streams: ReturnType<typeof watchOne>[] = [];
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
