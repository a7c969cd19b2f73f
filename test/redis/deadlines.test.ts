/** Commands fail when the server is silent, not when this process is slow to read what it answered. */
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { COMMAND_TIMEOUT_MS, COMMAND_TIMEOUT_MS_MAX, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { hasRedisServer } from "../support/redis-process.ts";
import { within } from "../support/wait.ts";

let server: TestRedis;
const test = suite("redis: deadlines of commands");
test.before(async () => {
	server = await startRedis();
});
test.after(async () => {
	for (const client of clients) client.disconnect();
	for (const close of closing) close();
	await server.stop();
});

const clients: Redis[] = [];
const closing: (() => void)[] = [];
function open(kind: "commands" | "pipelined"): Redis {
	const client = createRedisClient({ path: server.path }, kind, silentLogger());
	clients.push(client);
	return client;
}

/** Keeps the event loop from running. */
function stall(ms: number): void {
	const untilMs = performance.now() + ms;
	while (performance.now() < untilMs);
}

for (const kind of ["commands", "pipelined"] as const)
	test(`${kind}: an answer that this process was too busy to read is no silence of the server`, async () => {
		const client = open(kind);
		await client.set("n", "1");
		const asked = [client.get("n"), client.get("n"), client.pipeline().get("n").exec().then(JSON.stringify)];
		// They leave with the end of this turn.
		await new Promise(setImmediate);
		stall(COMMAND_TIMEOUT_MS + 200);
		const late = client.get("n");
		stall(COMMAND_TIMEOUT_MS + 200);
		assert.equal(await within(Promise.all([...asked, late]), "the replies"), ["1", "1", '[[null,"1"]]', "1"]);
	});

/** A server that answers one command each `everyMs`, `answers` of them, after a pause, to a client that is ready at once. */
async function openSlow(everyMs: number, answers = Number.POSITIVE_INFINITY, pauseMs = 0): Promise<Redis> {
	const path = join(await mkdtemp(join(tmpdir(), "lr-")), "s");
	let left = answers;
	const listener = createServer((socket) => {
		const fromMs = performance.now() + pauseMs;
		const timer = setInterval(() => {
			if (performance.now() >= fromMs && left-- > 0) socket.write("+OK\r\n");
		}, everyMs);
		socket
			.resume()
			.on("error", () => {})
			.on("close", () => clearInterval(timer));
	}).listen(path);
	closing.push(() => listener.close());
	// Nothing is said before the first command.
	const overrides = {
		connectionName: undefined,
		enableReadyCheck: false,
		disableClientInfo: true,
		protocol: 2,
	} as const;
	const client = createRedisClient({ path }, "commands", silentLogger(), { overrides });
	clients.push(client);
	await once(client, "ready");
	return client;
}

/** How many of so many commands sent at once are answered, and when the last of them ended. */
async function ask(client: Redis, commands: number) {
	const askedAt = performance.now();
	const ends = await within(
		Promise.allSettled(Array.from({ length: commands }, () => client.set("n", "1"))),
		"the ends",
	);
	const answered = ends.filter(({ status }) => status === "fulfilled").length;
	return { answered, tookMs: performance.now() - askedAt };
}

test("a server that works through a queue is waited for; one that falls silent is not, nor one that takes for ever", async () => {
	const [working, silent, slow, behind] = await Promise.all([
		openSlow(50).then((client) => ask(client, 60)),
		openSlow(50, 20).then((client) => ask(client, 60)),
		openSlow(500).then((client) => ask(client, 60)),
		openSlow(100, Number.POSITIVE_INFINITY, COMMAND_TIMEOUT_MS + 400).then(async (client) => {
			assert.is((await ask(client, 25)).answered, 0, "given up before the server answers");
			return ask(client, 1);
		}),
	]);
	assert.is(working.answered, 60);
	assert.ok(working.tookMs > COMMAND_TIMEOUT_MS + 500, `${working.tookMs} ms`);

	assert.ok(silent.answered > 15 && silent.answered <= 20, `${silent.answered} answered`);
	assert.ok(silent.tookMs > COMMAND_TIMEOUT_MS + 800, `${silent.tookMs} ms`);
	assert.ok(silent.tookMs < COMMAND_TIMEOUT_MS_MAX - 500, `${silent.tookMs} ms`);

	assert.ok(slow.answered >= 8 && slow.answered < 20, `${slow.answered} answered`);
	assert.ok(slow.tookMs >= COMMAND_TIMEOUT_MS_MAX - 50, `${slow.tookMs} ms`);

	assert.is(behind.answered, 1, "the server was busy with what had been given up");
	assert.ok(behind.tookMs > COMMAND_TIMEOUT_MS + 300, `${behind.tookMs} ms`);
});

const withServer = hasRedisServer() ? test : test.skip;

withServer(
	"a server that is silent fails every command within its time, and one that answers again is heard",
	async () => {
		const client = open("commands");
		const other = open("commands");
		await Promise.all([client.set("n", "1"), other.ping()]);
		// The server answers nobody for that long.
		const block = other.call("client", "pause", "2500", "ALL");
		await block;
		const askedAt = performance.now();
		const answers = await within(
			Promise.all([client.get("n").catch(String), client.pipeline().get("n").get("n").exec().catch(String)]),
			"the refusals",
		);
		const tookMs = performance.now() - askedAt;
		assert.match(JSON.stringify(answers), "timed out");
		assert.match(String(answers[0]), "Command timed out");
		assert.ok(tookMs >= COMMAND_TIMEOUT_MS - 50 && tookMs < COMMAND_TIMEOUT_MS + 700, `${tookMs} ms`);
		other.disconnect();
	},
);

test.run();
