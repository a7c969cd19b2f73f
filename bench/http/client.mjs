/**
 * A small keep-alive load generator in a process of its own, for machines without wrk and for requests that differ:
 * `node bench/http/client.mjs <url> <connections> <seconds>`. Every connection sends its next request when the answer
 * to the last one is whole. REQUESTS is JSON: { method, headers: [{ name: value }, ...], body, first }; the requests
 * take the sets of headers in turn, `{n}` in headers and body is their number, counted from `first`. Prints JSON:
 * requests, seconds, p50_ms, p99_ms, errors (answers of 400 and above, connections that broke, answers that never came).
 */
import { connect } from "node:net";

const [target = "", connections = "1", seconds = "1"] = process.argv.slice(2);
const url = new URL(target);
const { method = "GET", headers = [{}], body = "", first = 0 } = JSON.parse(process.env.REQUESTS ?? "{}");
const heads = headers.map((set) => Object.entries(set).map(([name, value]) => `${name}: ${value}\r\n`));
let number = first;

function nextRequest() {
	const n = number++;
	const filled = (text) => text.replaceAll("{n}", String(n));
	const content = filled(body);
	const head = filled(heads[n % heads.length].join(""));
	const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(content)}\r\n`;
	const line = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n`;
	return `${line}${head}${length}\r\n${content}`;
}

const END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
/** An answer that is due when the time is over is waited for so long. */
const PATIENCE_MS = 2_000;
/** Before a broken connection is made anew. */
const PAUSE_MS = 10;

const tookMs = [];
let errors = 0;
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1000;

/** Follows one answer through the pieces in which it comes; `take` says whether it is whole. */
function createAnswer() {
	let [held, left, chunked, headDone] = [Buffer.alloc(0), 0, false, false];

	function readHead() {
		const end = held.indexOf(END);
		if (end < 0) return false;
		const head = held.toString("latin1", 0, end);
		const status = Number(head.slice(9, 12));
		if (status >= 400) errors++;
		chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
		left = status === 304 || status === 204 ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
		held = held.subarray(end + END.length);
		headDone = true;
		return true;
	}

	/** Drops whole chunks; true once the last one, which is empty, was read. */
	function readChunks() {
		for (;;) {
			const end = held.indexOf(LINE_END);
			if (end < 0) return false;
			const length = Number.parseInt(held.toString("latin1", 0, end), 16);
			const next = end + LINE_END.length + length + LINE_END.length;
			if (held.length < next) return false;
			held = held.subarray(next);
			if (length === 0) return true;
		}
	}

	return {
		take(piece) {
			held = held.length === 0 ? piece : Buffer.concat([held, piece]);
			if (!headDone && !readHead()) return false;
			if (chunked) return readChunks();
			left -= held.length;
			held = Buffer.alloc(0);
			return left <= 0;
		},
	};
}

/** One connection until the time is over or it breaks. */
const run = () =>
	new Promise((done) => {
		const socket = connect(Number(url.port), url.hostname);
		let [answer, sentAt, waits] = [createAnswer(), 0, false];
		const send = () => {
			[answer, sentAt, waits] = [createAnswer(), performance.now(), true];
			socket.write(nextRequest());
		};
		socket.setNoDelay(true);
		socket.setTimeout(endsAt + PATIENCE_MS - performance.now(), () => socket.destroy());
		socket.once("connect", send);
		socket.on("data", (piece) => {
			if (!answer.take(piece)) return;
			waits = false;
			tookMs.push(performance.now() - sentAt);
			if (performance.now() < endsAt) return send();
			socket.end();
		});
		// Told by `close`, which always follows.
		socket.once("error", () => undefined);
		socket.once("close", () => {
			if (waits || sentAt === 0) errors++;
			done();
		});
	});

async function keepRunning() {
	while (performance.now() < endsAt) {
		await run();
		await new Promise((next) => setTimeout(next, PAUSE_MS));
	}
}

await Promise.all(Array.from({ length: Number(connections) }, keepRunning));
const tookSeconds = (performance.now() - startedAt) / 1000;
tookMs.sort((a, b) => a - b);
const at = (share) => tookMs[Math.min(tookMs.length - 1, Math.floor(share * tookMs.length))] ?? 0;
const result = { requests: tookMs.length, seconds: tookSeconds, p50_ms: at(0.5), p99_ms: at(0.99), errors };
process.stdout.write(`${JSON.stringify(result)}\n`);
