/**
 * A small keep-alive load generator for machines without wrk, in a process of its own:
 * `node bench/http/client.mjs <url> <connections> <seconds>`, header lines as JSON in HEADERS. Every connection sends
 * its next request when the answer to the last one is whole. Prints JSON: requests, seconds, p50_ms, p99_ms, errors.
 */
import { connect } from "node:net";

const [target = "", connections = "1", seconds = "1"] = process.argv.slice(2);
const url = new URL(target);
const headers = Object.entries(JSON.parse(process.env.HEADERS ?? "{}")).map(([name, value]) => `${name}: ${value}\r\n`);
const request = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${headers.join("")}\r\n`;
const END = Buffer.from("\r\n\r\n");

const tookMs = [];
let errors = 0;
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1000;

/** Bytes that are left of an answer whose head is whole; null before that. */
function answerBytes(held) {
	const head = held.indexOf(END);
	if (head < 0) return null;
	const text = held.toString("latin1", 0, head);
	if (Number(text.slice(9, 12)) >= 400) errors++;
	return head + END.length + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
}

const run = () =>
	new Promise((done) => {
		const socket = connect(Number(url.port), url.hostname);
		let [held, due, sentAt] = [Buffer.alloc(0), null, 0];
		const send = () => {
			[held, due, sentAt] = [Buffer.alloc(0), null, performance.now()];
			socket.write(request);
		};
		socket.setNoDelay(true);
		socket.once("connect", send);
		socket.on("data", (chunk) => {
			held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
			due ??= answerBytes(held);
			if (due === null || held.length < due) return;
			tookMs.push(performance.now() - sentAt);
			if (performance.now() < endsAt) return send();
			socket.end();
		});
		socket.once("error", () => errors++);
		socket.once("close", done);
	});

await Promise.all(Array.from({ length: Number(connections) }, run));
const tookSeconds = (performance.now() - startedAt) / 1000;
tookMs.sort((a, b) => a - b);
const at = (share) => tookMs[Math.min(tookMs.length - 1, Math.floor(share * tookMs.length))] ?? 0;
const result = { requests: tookMs.length, seconds: tookSeconds, p50_ms: at(0.5), p99_ms: at(0.99), errors };
process.stdout.write(`${JSON.stringify(result)}\n`);
