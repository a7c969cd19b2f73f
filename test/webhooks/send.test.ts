import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { anyAddress, isPublicAddress } from "../../src/webhooks/addresses.ts";
import { createSend } from "../../src/webhooks/send.ts";

/** One request to receivers of every kind of badness, over real sockets. */
let server: Server;
let port: number;
let requests: { path: string; method: string; body: string; headers: NodeJS.Dict<string | string[]> }[] = [];
const opened: ServerResponse[] = [];

/** What the receiver does, by path. */
const ways: Record<string, (response: ServerResponse) => void> = {
	"/ok": (response) => response.writeHead(204).end(),
	"/fails": (response) => response.writeHead(500).end("no"),
	"/moved": (response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/ok` }).end(),
	"/hangs": () => undefined,
	// Bytes arrive for ever, but never a whole head.
	"/drips": (response) => {
		response.socket?.write("HTTP/1.1 200 OK\r\n");
		const timer = setInterval(() => response.socket?.write("x-drip: 1\r\n"), 20);
		response.socket?.on("close", () => clearInterval(timer));
	},
	"/huge-head": (response) => {
		response.socket?.write("HTTP/1.1 200 OK\r\n");
		for (let i = 0; i < 100; i += 1) response.socket?.write(`x-${i}: ${"a".repeat(1000)}\r\n`);
	},
	"/endless": (response) => {
		response.writeHead(200);
		const more = () => {
			while (!response.destroyed && response.write(Buffer.alloc(65_536)));
		};
		response.on("drain", more);
		more();
	},
	"/cuts": (response) => response.socket?.destroy(),
	"/garbage": (response) => response.socket?.end("hello\r\n\r\n"),
};

const sending = suite("webhooks: sending");
sending.before(async () => {
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const path = request.url ?? "";
			requests.push({
				path,
				method: request.method ?? "",
				body: Buffer.concat(chunks).toString(),
				headers: request.headers,
			});
			opened.push(response);
			ways[path]?.(response);
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	port = (server.address() as AddressInfo).port;
});
sending.after(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
});
sending.before.each(() => {
	requests = [];
});

const LIMIT_MS = 300;
const send = createSend({ allowed: anyAddress, clock: systemClock, limitMs: LIMIT_MS });
const to = (path: string) =>
	send({ url: `http://127.0.0.1:${port}${path}`, body: '{"a":"ü"}', headers: { "x-mine": "1" } });

sending("what is sent arrives as it is, and 2xx is success", async () => {
	assert.equal(await to("/ok"), { status: 204, error: null });
	const [request] = requests;
	assert.equal([request?.method, request?.body, request?.headers["x-mine"]], ["POST", '{"a":"ü"}', "1"]);
	assert.is(request?.headers["content-length"], "10");
});

sending("failures are told from each other, redirects are not followed", async () => {
	assert.equal(await to("/fails"), { status: 500, error: "HTTP 500" });
	assert.match((await to("/moved")).error ?? "", /302.*not followed/);
	assert.equal(
		requests.map(({ path }) => path),
		["/fails", "/moved"],
	);
	assert.match((await to("/cuts")).error ?? "", /^connection failed: ECONNRESET/);
	assert.match((await to("/garbage")).error ?? "", /^connection failed: HPE_/);
	assert.match((await to("/huge-head")).error ?? "", /^connection failed: HPE_HEADER_OVERFLOW/);
	const closed = await send({ url: "http://127.0.0.1:1/", body: "", headers: {} });
	assert.is(closed.error, "connection failed: ECONNREFUSED", "and no address of this network in it");
});

sending("who hangs or drips is given up in time; an endless body costs nothing", async () => {
	for (const path of ["/hangs", "/drips"]) {
		const began = performance.now();
		assert.equal(await to(path), { status: null, error: `no answer within ${LIMIT_MS} ms`, timed_out: true });
		assert.ok(performance.now() - began < LIMIT_MS + 2_000, path);
	}
	const short = await send({ url: `http://127.0.0.1:${port}/hangs`, body: "", headers: {}, limit_ms: 20 });
	assert.is(short.error, "no answer within 20 ms");
	const answer = await to("/endless");
	assert.equal(answer, { status: 200, error: null });
	const response = opened.at(-1);
	if (response && !response.destroyed) await new Promise((resolve) => response.once("close", resolve));
	assert.ok((response?.socket?.bytesWritten ?? 0) < 50_000_000);
});

sending("a shutdown interrupts", async () => {
	const stop = new AbortController();
	const sent = send({ url: `http://127.0.0.1:${port}/hangs`, body: "", headers: {} }, stop.signal);
	stop.abort();
	assert.equal(await sent, { status: null, error: "interrupted" });
});

/** A resolver that gives other answers each time, as an attacker's does. */
const answers =
	(...turns: string[][]): LookupFunction =>
	(_host, _options, callback) => {
		const turn = turns.length > 1 ? turns.shift() : turns[0];
		callback(null, (turn ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 })) as never);
	};

sending("addresses inside are not connected to, whatever a name said before", async () => {
	const guarded = (resolve?: LookupFunction) =>
		createSend({ allowed: isPublicAddress, clock: systemClock, limitMs: LIMIT_MS, ...(resolve ? { resolve } : {}) });
	const refused = { status: null, error: "the address is not allowed" };
	const url = `http://rebinding.example.com:${port}/ok`;
	for (const literal of [
		`http://127.0.0.1:${port}/ok`,
		`http://[::ffff:127.0.0.1]:${port}/ok`,
		`http://2130706433:${port}/ok`,
		`http://localhost:${port}/ok`,
	])
		assert.equal(await guarded()({ url: literal, body: "", headers: {} }), refused, literal);
	const rebinding = guarded(answers(["127.0.0.1"]));
	assert.equal(await rebinding({ url, body: "", headers: {} }), refused);
	assert.equal(
		await guarded(answers(["93.184.216.34", "127.0.0.1"]))({ url, body: "", headers: {} }),
		refused,
		"one of several",
	);
	assert.equal(await guarded(answers([]))({ url, body: "", headers: {} }), refused);
	assert.equal(requests, []);
	// The same way with a rule that allows it: what was resolved is what is connected to, and asked for once.
	let asked = 0;
	const counted: LookupFunction = (host, options, callback) => {
		asked += 1;
		answers(["127.0.0.1"])(host, options, callback);
	};
	const open = createSend({ allowed: anyAddress, clock: systemClock, resolve: counted });
	assert.equal(await open({ url, body: "", headers: {} }), { status: 204, error: null });
	assert.is(asked, 1);
	assert.is(requests[0]?.headers["host"], `rebinding.example.com:${port}`);
});

sending.run();
