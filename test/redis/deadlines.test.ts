/** Commands fail when the server is silent, not when this process is slow to read what it answered. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { COMMAND_TIMEOUT_MS, createRedisClient, type Redis } from "../../src/redis/clients.ts";
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
	await server.stop();
});

const clients: Redis[] = [];
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
