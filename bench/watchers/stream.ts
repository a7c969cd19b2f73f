import http from "node:http";
import { systemClock } from "../../src/clock.ts";

export interface Watched {
	url: string;
	token: string;
	scan_id: string;
}

export interface Stream {
	/** Resolves at the first entry. */
	stands: Promise<void>;
	/** At its end: the last entry's number; whether all came, in order, and the stream said that it ends. */
	done: Promise<{ last: number; whole: boolean }>;
	close(): void;
}

/** One watcher of a scan's events. @param told each entry's number, and when it arrived, epoch ms. */
export function watchEvents({ url, token, scan_id }: Watched, told: (seq: number, at_ms: number) => void): Stream {
	let standing = () => {};
	const stands = new Promise<void>((resolve) => {
		standing = resolve;
	});
	let last = 0;
	let whole = true;
	let ended = false;
	const path = `${url}/api/v1/opportunities/scans/${scan_id}/events`;
	let close = () => {};
	const done = new Promise<{ last: number; whole: boolean }>((resolve, reject) => {
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
					told(last, nowMs);
				}
			});
			response.on("error", reject);
			response.on("end", () => resolve({ last, whole: whole && ended }));
		});
		request.on("error", reject);
		close = () => void request.destroy();
	});
	return { stands, done, close: () => close() };
}
