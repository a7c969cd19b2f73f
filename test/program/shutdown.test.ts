import net from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Client, type Program, startProgram, stopPrograms } from "../support/program.ts";
import { within } from "../support/wait.ts";

const shutdown = suite("program: the end of a process that does everything");
shutdown.after(stopPrograms);

const ADMIN_PASSWORD = "correct horse";

const start = (): Promise<Program> =>
	startProgram({
		ADMIN_PASSWORD,
		MARKET: "simulated:1",
		// With nothing read yet, this latency holds every scan for seconds.
		MARKET_LATENCY_MS: "500",
		MARKET_AS_OF: "2026-03-19T19:00:00Z",
	});

interface LogLine {
	msg: string;
	step?: { name: string; end: string; duration_ms: number };
}

const logOf = (program: Program): LogLine[] =>
	program
		.output()
		.split("\n")
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line) as LogLine);

/** A connection on which a request has begun but is not whole: it is busy until the rest comes. */
async function begun(url: string, head: string): Promise<{ finish(rest: string): Promise<string> }> {
	const { hostname, port } = new URL(url);
	const socket = net.connect(Number(port), hostname);
	socket.on("error", () => undefined);
	const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
	await within(new Promise<void>((resolve) => socket.once("connect", () => resolve())), "connect");
	socket.write(`${head}\r\nHost: ${hostname}\r\n`);
	let text = "";
	socket.setEncoding("utf8").on("data", (chunk: string) => {
		text += chunk;
	});
	return {
		async finish(rest) {
			socket.write(rest);
			await within(closed, `the end of ${head}`, 30_000);
			return text;
		},
	};
}

/** Its body never ends, so it keeps its connection busy until the server cuts it. */
const STALLED = "POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1000";

shutdown("scans are handed over at once, whoever waits is answered, and nothing new is taken", async () => {
	const program = await start();
	const client = new Client([program.url]);
	await client.login("admin@lookout.local", ADMIN_PASSWORD);
	const scanId = (await client.post("/opportunities/discover", {})).body.scan_id;
	const running = await client.poll(scanId, ({ state }) => state !== "queued");
	assert.is(running.body.state, "running");
	const [stalled, ready, discover] = await Promise.all([
		begun(program.url, STALLED),
		begun(program.url, "GET /readyz HTTP/1.1"),
		begun(program.url, "POST /api/v1/opportunities/discover HTTP/1.1\r\nContent-Length: 0"),
	]);
	const cut = stalled.finish('\r\n{"email":');
	const poll = client.get(`/opportunities/results/${scanId}?wait=30`);
	// Sent later on another connection and answered: by then the poll before it is being waited for.
	await client.get("/opportunities/user-status");

	const sentAtMs = performance.now();
	program.kill("SIGTERM");
	const state = await poll;
	assert.ok(performance.now() - sentAtMs < 15_000, "the long poll does not wait for its time");
	assert.is(state.status, 202, program.output());
	assert.is(state.headers.get("connection"), "close");
	for (const request of [ready, discover]) {
		const answer = await request.finish("\r\n");
		assert.match(answer, /^HTTP\/1.1 503 /);
		assert.match(answer, /^connection: close\r$/im);
		assert.match(answer, '"code":"shutting_down"');
	}
	await cut;
	assert.is(await program.ended(), 0);
	const log = logOf(program);
	const at = (name: string) => log.findIndex(({ step }) => step?.name === name);
	assert.is(log[at("scans: hand over")]?.step?.end, "done", program.output());
	assert.ok(at("scans: hand over") < at("api: finish requests"), "a slow client does not hold the scans back");
	assert.equal(
		log.slice(at("scans: hand over")).filter(({ msg }) => msg.startsWith("taking over")),
		[],
		"nothing is claimed after the hand-over",
	);
	assert.not.ok(
		log.some(({ step }) => step?.end === "skipped"),
		"there was time for every step",
	);
});

shutdown("a second SIGTERM ends the process at once", async () => {
	const program = await start();
	const stalled = await begun(program.url, STALLED);
	const cut = stalled.finish('\r\n{"email":');
	program.kill("SIGTERM");
	const first = new Promise<void>((resolve) =>
		program.process.stdout?.on("data", () => {
			if (program.output().includes("shutting down")) resolve();
		}),
	);
	await within(first, "the first signal");
	program.kill("SIGTERM");
	const code = await program.ended();
	assert.equal([code, program.process.signalCode], [1, null], program.output().slice(-2_000));
	await cut;
	assert.not.match(program.output(), "api: finish requests", "it does not wait for the stalled request");
});

shutdown.run();
