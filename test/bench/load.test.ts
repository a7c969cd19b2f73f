import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { measure, readWrk } from "../../bench/http/load.ts";

const test = suite("what the load generator prints");

const TEXT = `Running 3s test @ http://127.0.0.1:1/
  1 threads and 100 connections
  Latency Distribution
     50%  812.00us
     75%    2.04ms
     90%    3.62ms
     99%    1.20s
  9000 requests in 3.00s, 20.00MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 4
Requests/sec:   3000.50
Transfer/sec:      6.66MB
`;

test("requests, percentiles in their units, and every kind of error", () => {
	const { p50Ms, ...told } = readWrk(TEXT);
	assert.ok(Math.abs(p50Ms - 0.812) < 1e-9);
	assert.equal(told, { requestsPerSecond: 3000.5, requests: 9000, p99Ms: 1200, errors: 7 });
});

const answers: Record<string, (response: ServerResponse) => void> = {
	"/length": (response) => response.end("x".repeat(100_000)),
	"/chunks": (response) => {
		response.write("a".repeat(700));
		setImmediate(() => response.end("0\r\n\r\nb".repeat(5_000)));
	},
	"/same": (response) => response.writeHead(304).end(),
	"/broken": (response) => response.writeHead(500).end("no"),
	"/gone": (response) => void response.destroy(),
};

test("the client without wrk counts whole answers of every framing, and what went wrong", async () => {
	let answered = 0;
	const server = http.createServer(({ url = "", headers }, response) => {
		assert.is(headers["x-probe"], "1");
		answered += 1;
		answers[url]?.(response);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	const load = async (path: string) => {
		answered = 0;
		const target = { url: `http://127.0.0.1:${port}${path}`, headers: { "x-probe": "1" } };
		const told = await measure({ ...target, connections: 3, seconds: 0.6, pid: process.pid }, "client");
		return { ...told, answered };
	};
	try {
		for (const path of ["/length", "/chunks", "/same"]) {
			const { errors, requestsPerSecond, p50Ms, p99Ms, answered: sent } = await load(path);
			assert.is(errors, 0, path);
			assert.ok(sent > 3 && requestsPerSecond > 0 && p50Ms > 0 && p99Ms >= p50Ms, path);
		}
		const broken = await load("/broken");
		assert.is(broken.errors, broken.answered);
		const gone = await load("/gone");
		assert.is(gone.requestsPerSecond, 0);
		assert.is(gone.errors, gone.answered);
	} finally {
		server.closeAllConnections();
		server.close();
	}
});

test.run();
