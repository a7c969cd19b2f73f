/** What grows, counted in commands and bytes of the server: figures that depend on no clock. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Growing } from "../../bench/growth/dimension.ts";
import { dimensions } from "../../bench/growth/dimensions.ts";
import { type Loader, openLoader } from "../../bench/growth/loader.ts";
import { type Cost, costOf, runsFor } from "../../bench/growth/meter.ts";
import { measureOperation, type OperationName } from "../../bench/growth/operations.ts";
import { excessOf, type Grown, powersOf } from "../../bench/growth/report.ts";
import { USUAL } from "../../bench/growth/shape.ts";
import { newUser, openStage, type Stage } from "../../bench/growth/stage.ts";
import { travel } from "../../bench/growth/travel.ts";
import { userKeys } from "../../src/store/keys.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

const test = suite("growth");

const cost = (value: number): Cost => ({
	wall_ms: value,
	cpu_us: value,
	server_us: value,
	commands: value,
	bytes: value,
});
const SIZES = [100, 400, 1_600];
const grown = (allowed: Growing, of: (size: number) => Partial<Cost>): Grown => ({
	dimension: "things",
	operation: "work",
	allowed,
	sizes: SIZES,
	costs: SIZES.map((size) => ({ ...cost(5), ...of(size) })),
});

test("what grows faster than it may is named, what does not is not", () => {
	assert.equal(excessOf(grown("constant", () => ({}))), []);
	assert.equal(excessOf(grown("constant", (size) => ({ commands: 30 + Math.log2(size) }))), []);
	assert.equal(excessOf(grown("constant", (size) => ({ commands: size }))), ["commands"]);
	assert.equal(excessOf(grown("linear", (size) => ({ commands: 50 + size, bytes: 1_000 * size }))), []);
	assert.equal(excessOf(grown("linear", (size) => ({ bytes: size ** 1.5 }))), ["bytes"]);
	// A slow server alone may be busy with its own chores, and a wall time that nobody's work explains is other work's;
	// together they are slow for whoever waits.
	assert.equal(excessOf(grown("constant", (size) => ({ wall_ms: size }))), []);
	assert.equal(excessOf(grown("constant", (size) => ({ server_us: size }))), []);
	assert.equal(excessOf(grown("constant", (size) => ({ server_us: size, wall_ms: size }))), ["wall", "server"]);
	assert.equal(excessOf(grown("constant", (size) => ({ wall_ms: size / 10_000 }))), [], "too quick to tell");
	assert.ok(Math.abs(powersOf(grown("linear", (size) => ({ bytes: size ** 2 }))).bytes - 2) < 1e-9);
});

let redis: TestRedis;
let stage: Stage;
let loader: Loader;

test.before(async () => {
	redis = await startRedis();
	stage = await openStage({ path: redis.path }, redis.client());
	// The embedded server has neither DUMP nor counts of its commands.
	if (redis.kind === "redis-server") loader = await openLoader(stage);
});
test.after(async () => {
	await stage.close();
	await redis.stop();
});

/** Tests that ask the server what it has done. */
const counted = (name: string, body: () => Promise<void>): void => {
	test(name, async () => {
		if (redis.kind === "redis-server") await body();
		else process.stdout.write(`  skipped: ${name}: the embedded server does not count its commands\n`);
	});
};

counted("the meter counts what the operation does and nothing else", async () => {
	const items = Array.from({ length: runsFor(5) }, (_, n) => `meter-${n}`);
	const { commands, bytes, wall_ms } = await costOf(stage.client, items, async (key) => {
		await stage.client.set(key, "x".repeat(100));
		await stage.client.get(key);
	});
	assert.is(commands, 2);
	// A value there and back, and the words of the protocol.
	assert.ok(bytes > 200 && bytes < 400, String(bytes));
	assert.ok(wall_ms > 0);
	for (const none of [[], items.slice(0, runsFor(0))])
		assert.is(
			await costOf(stage.client, none, async () => {}).catch((error: unknown) => error instanceof RangeError),
			true,
		);
});

counted("copied scans are scans to every reader, and gone ones are gone", async () => {
	const user = newUser();
	await loader.finishedOf(user, 3);
	const { scanList, scans } = stage.queries();
	const filter = { status: null, strategy: null, symbol: null, from_ms: null, to_ms: null, limit: 10, cursor: null };
	const listed = JSON.parse(await scanList.list(user, filter)) as { scans: { scan_id: string; status: string }[] };
	assert.is(listed.scans.length, 3);
	const ids = await stage.store.reader.listByUser(user.user_id, 0, 10);
	assert.is(new Set(ids).size, 3);
	const { body, complete } = await scans.status(
		user,
		ids[0] ?? "",
		{ waitMs: 0, signal: new AbortController().signal },
		undefined,
	);
	assert.ok(complete && body.includes('"status":"complete"'), body);

	await loader.expiredOf(user, 5);
	assert.is(await stage.client.zcard(userKeys(user.user_id).scans), 8);
	assert.is((await stage.store.reader.listByUser(user.user_id, 0, 10)).length, 3);

	await loader.overdueTombstones(4);
	assert.is(await stage.store.writer.purgeTombstones(100), 4);
});

/** Commands and bytes at two sizes that are eight times apart. */
async function measured(name: string, sizes: readonly [number, number], operations: readonly OperationName[]) {
	const dimension = dimensions(1_000_000).find((one) => one.name === name);
	assert.ok(dimension, name);
	const held = new Map<OperationName, Grown>();
	for (const size of sizes) {
		const subject = await dimension.grow(stage, loader, size);
		for (const operation of operations) {
			const allowed = dimension.operations[operation];
			assert.ok(allowed, operation);
			const found = await measureOperation(operation, stage, loader, subject, 2);
			const before = held.get(operation) ?? { dimension: name, operation, allowed, sizes: [], costs: [] };
			held.set(operation, { ...before, sizes: [...before.sizes, size], costs: [...before.costs, found] });
		}
	}
	await dimension.clear?.(stage);
	return [...held.values()];
}

const COUNTS = new Set(["commands", "bytes"]);

counted("scans of more strategies and rows cost in proportion, what is not theirs nothing", async () => {
	const all = [
		...(await measured("processes on one Redis", [2, 16], ["small commit"])),
		...(await measured("strategies of a scan", [14, 112], ["start", "whole scan", "status, first", "state then"])),
		...(await measured("rows of a scan", [50, 400], ["commit", "results, first", "journal"])),
		...(await measured("users, a scan each", [100, 800], ["start", "end of a scan", "list of scans", "history"])),
		...(await measured("a user's retained scans", [100, 800], ["metrics of a user", "list of scans"])),
		...(await measured("running scans", [10, 80], ["recovery of a lost scan"])),
	];
	for (const one of all) {
		const excess = excessOf(one).filter((metric) => COUNTS.has(metric));
		assert.equal(excess, [], `${one.operation}, ${one.dimension}: ${JSON.stringify(powersOf(one))}`);
	}
});

counted(
	"a journal of five hundred entries tells any state, the more entries the more bytes in proportion",
	async () => {
		const shape = { ...USUAL, rows: 440, reports: 4, failing: 3 };
		const small = await travel(stage, { ...shape, rows: 110 }, 10);
		const large = await travel(stage, shape, 10);
		assert.ok(large.entries >= 490 && large.entries <= 520, String(large.entries));
		// Fourteen strategies of four reports and three that fail first, in turns that may take several.
		assert.ok(large.events >= 10 && large.events <= 80, String(large.events));
		const ratio = large.entries / small.entries;
		assert.ok(large.journal_bytes / small.journal_bytes <= 1.3 * ratio);
		assert.ok(large.read_bytes / small.read_bytes <= 1.5 * ratio, `${large.read_bytes} / ${small.read_bytes}`);
	},
);

counted("the journal of more rows told in more reports grows with rows, not with rows times reports", async () => {
	const of = (factor: number) => ({ ...USUAL, rows: 56 * factor, reports: factor });
	const [few, many] = [await travel(stage, of(2), 5), await travel(stage, of(16), 5)];
	const ratio = many.entries / few.entries;
	assert.ok(many.journal_bytes / few.journal_bytes <= 1.3 * ratio, `${few.journal_bytes}, ${many.journal_bytes} bytes`);
});

test.run();
