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
	/** `delays_ms`: from an entry's time to its arrival; `broken`: streams with a gap, a repetition or no end. */
	| { kind: "done"; delays_ms: number[]; entries: number; broken: number };

const AT_ONCE = 50;

function watchOne({ url, token }: Order, scanId: string, live: () => boolean, delays: number[]) {
	let standing = () => {};
	const stands = new Promise<void>((resolve) => {
		standing = resolve;
	});
	let last = 0;
	let whole = true;
	let ended = false;
	const done = new Promise<{ last: number; whole: boolean }>((resolve, reject) => {
		const path = `${url}/api/v1/opportunities/scans/${scanId}/events`;
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
				for (const [, seq = "0", at = ""] of blocks.matchAll(/^data: \{"seq":(\d+),"at":"([^"]+)"/gm)) {
					whole &&= Number(seq) === last + 1;
					last = Number(seq);
					standing();
					if (live()) delays.push(nowMs - Date.parse(at));
				}
			});
			response.on("end", () => resolve({ last, whole: whole && ended }));
		});
		request.on("error", reject);
	});
	return { stands, done };
}

process.once("message", async (order: Order) => {
	const delays: number[] = [];
	let live = false;
	const streams: ReturnType<typeof watchOne>[] = [];
	for (let from = 0; from < order.watchers; from += AT_ONCE) {
		const opened = Array.from({ length: Math.min(AT_ONCE, order.watchers - from) }, (_, i) =>
			watchOne(order, String(order.scan_ids[(from + i) % order.scan_ids.length]), () => live, delays),
		);
		await Promise.all(opened.map(({ stands }) => stands));
		streams.push(...opened);
	}
	// What was there before the last watcher came was late for it by nature.
	live = true;
	process.send?.({ kind: "standing" } satisfies ClientReport);
	const ends = await Promise.all(streams.map(({ done }) => done));
	process.send?.({
		kind: "done",
		delays_ms: delays,
		entries: ends.reduce((sum, { last }) => sum + last, 0),
		broken: ends.filter(({ whole }) => !whole).length,
	} satisfies ClientReport);
});
