import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { loopTurns } from "../../src/loop-turns.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { quickly, quickScript } from "../../src/redis/quick.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { within } from "../support/wait.ts";

let server: TestRedis;
const test = suite("redis: the commands of one turn");
test.before(async () => {
	server = await startRedis();
});
test.after(() => server.stop());

/** A client of the given kind, and how often it has written to its socket. */
async function counted(kind: "commands" | "blocking") {
	const client = createRedisClient({ path: server.path }, kind, silentLogger());
	await client.ping();
	let writes = 0;
	const { stream } = client;
	for (const name of ["_write", "_writev"] as const) {
		const real = stream[name]?.bind(stream) as (...args: unknown[]) => void;
		Object.assign(stream, {
			[name](...args: unknown[]) {
				writes += 1;
				real(...args);
			},
		});
	}
	return { client, writes: () => writes };
}

test("leave together, in their order, with the client's own methods, pipelines and written commands", async () => {
	const { client, writes } = await counted("commands");
	const send = quickly(client);
	const replies = await within(
		Promise.all([
			client.set("n", "1"),
			client.incr("n"),
			client.pipeline().incr("n").get("n").exec(),
			send("incrby", ["n", 10]),
			send("get", ["n"]),
		]),
		"the replies",
	);
	assert.equal(replies, [
		"OK",
		2,
		[
			[null, 3],
			[null, "3"],
		],
		13,
		"13",
	]);
	assert.is(writes(), 1);
	await client.get("n");
	await client.get("n");
	assert.is(writes(), 3);
	client.disconnect();
});

test("wait for what goes on in their turn, and leave with what it sends", async () => {
	const { client, writes } = await counted("commands");
	const first = client.set("m", "1");
	const later = loopTurns.next().then(() => client.incr("m"));
	const last = loopTurns.over().then(() => client.incr("m"));
	assert.equal(await within(Promise.all([first, later, last]), "the replies"), ["OK", 2, 3]);
	assert.is(writes(), 1);
	client.disconnect();
});

test("more than the server reads at once leaves before the turn ends, in its order", async () => {
	const { client, writes } = await counted("commands");
	const long = "x".repeat(6_000);
	const sent = [client.set("long", long), client.append("long", long), client.append("long", long)];
	const atOnce = writes();
	sent.push(client.strlen("long") as never);
	const replies = await Promise.all(sent);
	client.disconnect();
	assert.is(atOnce, 1, "three times 6 KB are more than 16");
	assert.equal(replies, ["OK", 12_000, 18_000, 18_000]);
	assert.is(writes(), 2);
});

test("what waits for others keeps its own writes", async () => {
	const { client, writes } = await counted("blocking");
	await Promise.all([client.get("n"), client.get("n")]);
	assert.is(writes(), 2);
	client.disconnect();
});

test("a written command has its length in bytes, and nothing stays behind when the client is closed", async () => {
	const { client } = await counted("commands");
	const send = quickly(client);
	const text = "ü€ ".repeat(100);
	await send("set", ["word", text]);
	assert.is(await client.get("word"), text);
	const last = client.set("last", "written");
	await client.quit();
	assert.is(await last, "OK");
	const other = createRedisClient({ path: server.path }, "commands", silentLogger());
	assert.is(await other.get("last"), "written");
	other.disconnect();
});

test("a script is sent whole once where the server does not know it, and again when it has forgotten", async () => {
	const { client } = await counted("commands");
	const double = quickScript(quickly(client), 1, "return {KEYS[1], tonumber(ARGV[1]) * 2}");
	assert.equal(await double(["k", 4]), ["k", 8]);
	await client.script("FLUSH");
	assert.equal(await double(["k", 5]), ["k", 10]);
	const wrong = quickScript(quickly(client), 0, "return redis.error_reply('ERR as planned')");
	assert.match(await wrong([]).then(String, String), /as planned/);
	client.disconnect();
});

test("without a server a command fails within its time", async () => {
	const lone = await startRedis();
	const client = createRedisClient({ path: lone.path }, "commands", silentLogger());
	const send = quickly(client);
	assert.is(await send("ping", []), "PONG");
	await lone.crash();
	const refusal = await within(send("get", ["n"]).then(String, String), "the refusal", 8_000);
	assert.match(refusal, /timed out|closed|ECONN|max retries/i);
	client.disconnect();
	await lone.stop();
});

test.run();
