/** What the program asks of a server, held against every kind of server that it may meet. */
import { Queue, Worker } from "bullmq";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { bullmqConnection, type ClientKind, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import type { RedisKind } from "../../src/redis/provide.ts";
import { within } from "../support/wait.ts";
import { availableKinds, startKind, type TestServer } from "./support/servers.ts";

interface Context {
	server: TestServer;
	client: Redis;
	open(kind: ClientKind): Redis;
}

const APPEND = `
local t = redis.call('TIME')
local fields = cjson.decode(ARGV[2])
local flat = {}
for name, value in pairs(fields) do flat[#flat + 1] = name; flat[#flat + 1] = cjson.encode(value) end
redis.call('HSET', KEYS[1], unpack(flat))
redis.call('XADD', KEYS[2], ARGV[1] .. '-0', 'type', 'a')
redis.call('PEXPIRE', KEYS[1], 60000)
return {tonumber(t[1]), redis.call('HLEN', KEYS[1]), cjson.encode({seq = tonumber(ARGV[1])})}
`;

function conformance(kind: RedisKind): void {
	const test = suite<Context>(`redis conformance: ${kind}`, {} as Context);
	const opened: Redis[] = [];

	test.before(async (context) => {
		context.server = await within(startKind(kind), "start");
		context.open = (clientKind) => {
			const client = createRedisClient(context.server.provision.connection, clientKind, silentLogger());
			opened.push(client);
			return client;
		};
		context.client = context.open("commands");
	});
	test.after(async (context) => {
		for (const client of opened) client.disconnect();
		await within(context.server.stop(), "stop");
	});

	test("names its kind and is writable at once", async ({ server, client }) => {
		assert.is(server.provision.kind, kind);
		assert.is(await client.set("k", "v"), "OK");
		assert.is(await client.get("k"), "v");
	});

	test("a script reads the time, decodes JSON, writes many fields and a stream entry at once", async ({ client }) => {
		const fields = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, { index }]));
		const reply = (await client.eval(APPEND, 2, "{x}h", "{x}s", "1", JSON.stringify(fields))) as unknown[];
		assert.ok(Number(reply[0]) > 1_600_000_000);
		assert.equal(reply.slice(1), [50, '{"seq":1}']);
		assert.is(await client.hget("{x}h", "f7"), '{"index":7}');
		const left = await client.pttl("{x}h");
		assert.ok(left > 0 && left <= 60_000);
	});

	test("a stream refuses a second writer of the same id", async ({ client }) => {
		await client.xadd("ids", "5-0", "a", "1");
		const refused = await client.xadd("ids", "5-0", "a", "2").catch((error: unknown) => error);
		assert.instance(refused, Error);
		assert.match(String(refused), /equal or smaller/);
	});

	test("ranges of a stream keep the legacy shape", async ({ client }) => {
		await client.xadd("range", "1-0", "a", "1");
		await client.xadd("range", "2-0", "a", "2", "b", "3");
		assert.equal(await client.xrange("range", "(1-0", "+"), [["2-0", ["a", "2", "b", "3"]]]);
		assert.equal(await client.xread("STREAMS", "range", "1-0"), [["range", [["2-0", ["a", "2", "b", "3"]]]]]);
		assert.is(await client.xlen("range"), 2);
	});

	test("a blocked reader gets the entry that comes later", async ({ client, open }) => {
		const reader = open("blocking");
		const reading = reader.xread("BLOCK", 10_000, "STREAMS", "later", "0-0");
		await client.xadd("later", "1-0", "a", "1");
		assert.equal(await within(reading, "blocked read"), [["later", [["1-0", ["a", "1"]]]]]);
	});

	test("publish reaches a subscriber", async ({ client, open }) => {
		const subscriber = open("subscriber");
		const heard = new Promise((resolve) => subscriber.on("message", (channel, text) => resolve([channel, text])));
		await within(subscriber.subscribe("news"), "subscribe");
		assert.is(await client.publish("news", "hello"), 1);
		assert.equal(await within(heard, "message"), ["news", "hello"]);
	});

	test("sorted sets serve as indexes", async ({ client }) => {
		await client.zadd("z", 1, "a", 2, "b", 3, "c");
		assert.equal(await client.zrangebyscore("z", 2, "+inf", "LIMIT", 0, 10), ["b", "c"]);
		assert.equal(await client.zrevrange("z", 0, 0), ["c"]);
		assert.is(await client.zscore("z", "b"), "2");
		assert.is(await client.zremrangebyscore("z", "-inf", "(3"), 2);
		assert.is(await client.zcard("z"), 1);
	});

	test("keys expire", async ({ client }) => {
		await client.set("gone", "1", "PX", 1);
		const due = async (): Promise<number> => ((await client.exists("gone")) === 0 ? 0 : due());
		assert.is(await within(due(), "expiry"), 0);
	});

	test("a known script survives SCRIPT FLUSH", async ({ client }) => {
		client.defineCommand("twice", { numberOfKeys: 0, lua: "return ARGV[1] * 2" });
		const twice = (client as unknown as { twice(value: string): Promise<number> }).twice.bind(client);
		assert.is(await twice("21"), 42);
		await client.script("FLUSH");
		assert.is(await twice("4"), 8);
	});

	test("auto-pipelined commands keep their order", async ({ open }) => {
		const client = open("pipelined");
		await client.del("n");
		const replies = await Promise.all(Array.from({ length: 20 }, () => client.incr("n")));
		assert.equal(
			replies,
			Array.from({ length: 20 }, (_, index) => index + 1),
		);
	});

	test("BullMQ hands a job to a worker", async ({ server }) => {
		const connection = bullmqConnection(server.provision.connection);
		const queueConnection = bullmqConnection(server.provision.connection, "queue");
		const queue = new Queue("jobs", { connection: queueConnection, streams: { events: { maxLen: 100 } } });
		let worker: Worker | null = null;
		try {
			const taken = new Promise((resolve, reject) => {
				worker = new Worker("jobs", async (job) => resolve(job.id), { connection });
				worker.on("error", reject);
				queue.on("error", reject);
			});
			await within(queue.add("scan", {}, { jobId: "scan_1", removeOnComplete: true }), "add");
			assert.is(await within(taken, "job"), "scan_1");
		} finally {
			await within(Promise.all([(worker as Worker | null)?.close(), queue.close()]), "close");
		}
	});

	test.run();
}

for (const kind of availableKinds()) conformance(kind);
