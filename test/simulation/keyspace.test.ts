import { createHash } from "node:crypto";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as scripts from "../../src/store/scripts.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { RedisError, type Reply } from "./keyspace.ts";
import { createSimulatedServer, loadLua, type SimulatedServer } from "./server.ts";

/** The simulated server answers as a real one does: random commands and random runs of every script on both. */
const model = suite("simulation: the simulated Redis is held against a server");

let redis: TestRedis;
model.before(async () => {
	redis = await startRedis();
});
model.after(async () => {
	await redis.stop();
});

/** Far from now, so that nothing expires between the two; the clocks themselves are not compared. */
const NOW_MS = 1_780_000_000_000;

const key = fc.constantFrom("{k}a", "{k}b", "{k}c");
const word = fc.constantFrom("x", "y", "z", "10", "-3");
const index = fc.integer({ min: -4, max: 4 }).map(String);
const score = fc.constantFrom("-inf", "+inf", "0", "1", "2.5", "(1", "(2.5");
const streamId = fc.constantFrom("1-0", "2-0", "2-5", "9-1");

const command: fc.Arbitrary<string[]> = fc.oneof(
	fc.tuple(
		fc.constantFrom("GET", "DEL", "EXISTS", "HGETALL", "HVALS", "ZCARD", "INCR", "HLEN", "XLEN", "PERSIST"),
		key,
	),
	// More than there are: which ones a server draws is its own affair.
	fc.tuple(fc.constant("HRANDFIELD"), key, fc.constant("10"), fc.constant("WITHVALUES")),
	fc.tuple(fc.constant("SET"), key, word),
	fc.tuple(fc.constant("SET"), key, word, fc.constant("NX")),
	fc.tuple(fc.constant("INCRBY"), key, word),
	fc.tuple(fc.constant("HSET"), key, word, word, word, word),
	fc.tuple(fc.constantFrom("HGET", "HDEL", "HEXISTS", "SADD", "SISMEMBER", "LPUSH", "ZREM", "ZSCORE"), key, word),
	fc.tuple(fc.constantFrom("HMGET", "HDEL", "LPUSH", "ZMSCORE"), key, word, word),
	fc.tuple(fc.constant("HINCRBY"), key, word, fc.constantFrom("1", "-2")),
	fc.tuple(fc.constantFrom("LRANGE", "LTRIM", "ZRANGE", "ZREVRANGE"), key, index, index),
	fc.tuple(fc.constant("ZADD"), key, fc.constantFrom("1", "2.5", "-1"), word),
	fc.tuple(fc.constant("ZADD"), key, fc.constantFrom("XX", "NX"), fc.constantFrom("1", "4"), word),
	fc.tuple(fc.constantFrom("ZRANGEBYSCORE", "ZCOUNT"), key, score, score),
	fc.tuple(
		fc.constant("ZRANGEBYSCORE"),
		key,
		score,
		score,
		fc.constant("LIMIT"),
		fc.constantFrom("0", "1"),
		fc.constant("2"),
	),
	fc.tuple(fc.constant("XADD"), key, streamId, fc.constant("f"), word),
	fc.tuple(fc.constant("XADD"), key, fc.constant("MAXLEN"), fc.constant("2"), streamId, fc.constant("f"), word),
	fc.tuple(fc.constant("XRANGE"), key, fc.constantFrom("-", "2-0", "(2-0", "2"), fc.constantFrom("+", "2", "9-1")),
	fc.tuple(fc.constant("XREVRANGE"), key, fc.constant("+"), fc.constant("-"), fc.constant("COUNT"), fc.constant("1")),
);

const plain = (reply: unknown): unknown => {
	if (Array.isArray(reply)) return reply.map(plain);
	return typeof reply === "object" && reply !== null && "ok" in reply ? (reply as { ok: string }).ok : reply;
};

function modelAnswer(server: SimulatedServer, name: string, args: string[]): unknown {
	try {
		return plain(server.execute(name, args) as Reply);
	} catch (error) {
		if (!(error instanceof RedisError)) throw error;
		return `error ${error.message.split(" ")[0]}`;
	}
}

/** Only the kind of an error is compared: its text differs between versions of the server. */
const realAnswer = async (name: string, args: string[]): Promise<unknown> =>
	redis
		.client()
		.call(name, ...args)
		.then(plain, (error: Error) => `error ${error.message.split(" ")[0]}`);

/** Sets of pairs have no order that anybody may rely on. */
const unordered = (name: string, reply: unknown): unknown => {
	// Names and values in turn, or in pairs, as the protocol has it.
	if ((name === "HVALS" || name === "HRANDFIELD") && Array.isArray(reply)) return reply.flat().sort();
	if (name !== "HGETALL" || !Array.isArray(reply)) return reply;
	return reply.flatMap((item, i) => (i % 2 === 0 ? [`${item}=${reply[i + 1]}`] : [])).sort();
};

model("random commands", async () => {
	if (redis.kind !== "redis-server") {
		process.stdout.write("  skipped: the model is held against a real redis-server only, none is on PATH\n");
		return;
	}
	const client = redis.client();
	const lua = await loadLua();
	await fc.assert(
		fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
			await client.flushall();
			const server = createSimulatedServer(lua, () => NOW_MS);
			const replies = await client.pipeline(commands.map(([name = "", ...args]) => ["call", name, ...args])).exec();
			commands.forEach(([name = "", ...args], i) => {
				const [error, reply] = replies?.[i] ?? [];
				const real = error ? `error ${error.message.split(" ")[0]}` : plain(reply);
				const mine = modelAnswer(server, name, args);
				assert.equal(unordered(name, mine), unordered(name, real), `${name} ${args.join(" ")}`);
			});
		}),
		{ numRuns: 150, seed: 7, includeErrorInReport: true },
	);
});

/** Moments differ between the two servers: every number that looks like one is taken out. */
const blanked = (reply: unknown): unknown =>
	JSON.parse(JSON.stringify(reply ?? null).replace(/1[78]\d{11}(?:-\d+)?/g, "1"));

const keys = ["{s}scan", "{s}journal", "{s}lifecycle", "{s}debug", "{s}results", "{s}inbox"];
const epoch = fc.constantFrom("0", "1", "2");
const seq = fc.integer({ min: 1, max: 4 });
type ScriptRun = [script: scripts.Script, args: string[]];
const script: fc.Arbitrary<ScriptRun> = fc.oneof(
	fc.constant<ScriptRun>([
		scripts.CREATE,
		[...keys.slice(0, 5), "u", "6", "1", "1", "1"].concat(
			["owner", "u", "epoch", "0", "seq", "1", "deadline_at", "99999999999999", "machine", "scan.v1", "end", "0"],
			["a", "b", "c", "d", "r:1", "{}", "[[]]"],
		),
	]),
	fc.constant<ScriptRun>([scripts.ACCEPT, keys.slice(0, 1)]),
	fc.constant<ScriptRun>([scripts.DROP, keys.slice(0, 5)]),
	fc
		.tuple(
			fc.constantFrom("w1", "w2"),
			fc.constantFrom("n1", "n2", "n3"),
			fc.constantFrom("normal", "deadline", "always"),
		)
		.map(
			([worker, nonce, mode]): ScriptRun => [
				scripts.CLAIM,
				[keys[0] ?? "", keys[5] ?? "", worker, nonce, "60000", mode, "scan.v1"],
			],
		),
	epoch.map((held): ScriptRun => [scripts.HEARTBEAT, [keys[0] ?? "", keys[5] ?? "", held, "60000"]]),
	epoch.map((held): ScriptRun => [scripts.RELEASE, [keys[0] ?? "", held]]),
	fc
		.tuple(epoch, seq, fc.constantFrom("0", "0", "1"))
		.map(
			([held, base, end]): ScriptRun => [
				scripts.COMMIT,
				[
					...keys,
					held,
					String(base),
					String(base + 1),
					end,
					"600000",
					"60000",
					"channel",
					"s",
					"1",
					"1",
					"1",
					"1",
					"[[]]",
					...["position", "started", "l", "1", "d", "1", "r:1", "{}"],
				],
			],
		),
	fc.constant<ScriptRun>([scripts.SEND, [keys[0] ?? "", keys[5] ?? "", "{}", "channel", "s"]]),
	fc
		.tuple(fc.constantFrom("i1", "i2"), fc.constantFrom("0", "1"), fc.constantFrom("0", "999999999999"))
		.map(
			([id, force, join]): ScriptRun => [
				scripts.START,
				["{u}active", "{u}fresh", "{u}scans", "{u}ended", "f", id, force, join, join, "p", "1780000000000"],
			],
		),
	fc
		.tuple(fc.constantFrom("i1", "i2"), fc.constantFrom("0", "1"))
		.map(
			([id, success]): ScriptRun => [
				scripts.FINISH,
				["{u}active", "{u}fresh", "{u}ended", "{u}scans", "f", id, success, "1780000000000", "p", "9780000000000", "1"],
			],
		),
	fc
		.constantFrom("i1", "i2")
		.map(
			(id): ScriptRun => [
				scripts.COUNT,
				[
					"{d}stats",
					"{d}counted",
					"{d}timeouts",
					"1000",
					"2000",
					id,
					"1",
					"3",
					"14",
					"1500",
					"2",
					"i3",
					"0",
					"0",
					"14",
					"7",
					"0",
				],
			],
		),
	fc
		.subarray(["i1", "i2", "i3"], { minLength: 1 })
		.map(
			(ids): ScriptRun => [
				scripts.COUNT_TOTALS,
				["{g}totals", "{g}counted", "1000", String(ids.length), ...ids, "a|b", "1", "c", "20"],
			],
		),
	fc
		.subarray(["i1", "i2", "i3"], { minLength: 1 })
		.map((ids): ScriptRun => [scripts.COUNT_ERRORS, ["{d}errors", "{d}errcounted", "1000", "2000", ...ids]]),
);

model("random runs of every script leave the same keys and answers", async () => {
	if (redis.kind !== "redis-server") {
		process.stdout.write("  skipped: the model is held against a real redis-server only, none is on PATH\n");
		return;
	}
	const client = redis.client();
	const lua = await loadLua();
	await fc.assert(
		fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 25 }), async (runs) => {
			await client.flushall();
			const server = createSimulatedServer(lua, () => NOW_MS);
			for (const [{ lua: source, keys: count }, args] of runs) {
				const sent = [source, String(count), ...args];
				const mine = modelAnswer(server, "EVAL", sent);
				assert.equal(blanked(mine), blanked(await realAnswer("EVAL", sent)), args.join(" "));
			}
			const left = (await client.keys("*")).sort();
			assert.equal(server.keyspace.keys().sort(), left);
			for (const name of left) {
				const held = server.keyspace.expiresAtMs(name) !== null;
				assert.is(held, (await client.pttl(name)) > 0, `${name} expires on one side only`);
			}
			for (const name of left.filter((held) => /scan$|lifecycle|active|fresh|stats|totals/.test(held))) {
				const mine = blanked(unordered("HGETALL", modelAnswer(server, "HGETALL", [name])));
				assert.equal(mine, blanked(unordered("HGETALL", await realAnswer("HGETALL", [name]))), name);
			}
			for (const name of left.filter((held) => /journal|inbox/.test(held))) {
				const mine = blanked(modelAnswer(server, "XRANGE", [name, "-", "+"]));
				assert.equal(mine, blanked(await realAnswer("XRANGE", [name, "-", "+"])), name);
			}
		}),
		{ numRuns: 60, seed: 11, includeErrorInReport: true },
	);
});

model("an unknown script is asked for by its text, as on a real server", async () => {
	const server = createSimulatedServer(await loadLua(), () => NOW_MS);
	const source = "return redis.call('SET', KEYS[1], ARGV[1])";
	const sha = createHash("sha1").update(source).digest("hex");
	assert.throws(() => server.execute("EVALSHA", [sha, "1", "a", "b"]), /NOSCRIPT/);
	assert.equal(server.execute("EVAL", [source, "1", "a", "b"]), { ok: "OK" });
	assert.equal(server.execute("EVALSHA", [sha, "1", "a", "c"]), { ok: "OK" });
	server.flushScripts();
	assert.throws(() => server.execute("EVALSHA", [sha, "1", "a", "b"]), /NOSCRIPT/);
	assert.throws(() => server.execute("EVAL", ["return redis.call('HSET', KEYS[1], 'f', 'v')", "1", "a"]), /WRONGTYPE/);
});

model.run();
