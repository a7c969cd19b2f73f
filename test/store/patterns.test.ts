import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fieldsOf, type Pattern, patternOf } from "../../src/field-patterns.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import * as scripts from "../../src/store/scripts.ts";
import { frontCoded } from "../../src/store/totals.ts";
import type { Commit } from "../../src/store/write-contract.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan } from "../support/stuck.ts";

/** What is told to the server in parts stands in its hashes as if it had been told whole. */
const parts = suite("store: fields in parts");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
parts.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
});
parts.after(async () => {
	client.disconnect();
	await redis.close();
});

const word = fc.oneof(
	fc.string(),
	fc.constantFrom(
		"",
		"null",
		'"ü €"',
		"same",
		"1\r\n",
		"100 %",
		"%s",
		"%%d",
		"x".repeat(99),
		"y".repeat(100),
		"ü".repeat(600),
	),
);
const pattern: fc.Arbitrary<Pattern> = fc.integer({ min: 1, max: 6 }).chain((words) =>
	fc.record({
		prefix: fc.constantFrom("step_", ""),
		texts: fc.array(word, { minLength: words + 1, maxLength: words + 1 }),
		rows: fc
			.uniqueArray(fc.array(word, { minLength: words, maxLength: words }), {
				minLength: 1,
				maxLength: 6,
				selector: ([first]) => first,
			})
			.map((rows) => rows.map(([first, ...others]) => [`${first}:`, ...others])),
	}),
);

parts("words that are the same in all rows become text, and the fields stay the same", () => {
	fc.assert(fc.property(pattern, (one) => assert.equal(fieldsOf(patternOf(one)), fieldsOf(one))));
	const { texts, rows } = patternOf({
		prefix: "",
		texts: ["<", ",", ",", ">"],
		rows: [
			["1", "same", "a"],
			["2", "same", "b"],
		],
	});
	assert.equal(
		{ texts, rows },
		{
			texts: ["<", ",same,", ">"],
			rows: [
				["1", "a"],
				["2", "b"],
			],
		},
	);
});

parts("a commit leaves patterns as whole fields, beside those that were told whole", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(pattern, { maxLength: 3 }), async (debugPatterns) => {
			const scanId = await acceptedScan(store);
			const before = await client.hgetall(scanKeys(scanId).debug);
			const claim = await store.writer.claim(scanId, "worker", randomUUID(), 60_000, "normal");
			assert.is(claim.kind, "granted");
			const commit: Commit = {
				...{ scan_id: scanId, epoch: 1, base_seq: 1, scan: {}, lifecycle: {}, debug: { last_updated: "now" } },
				...{ debugPatterns, results: new Map([["d:x", "y"]]), events: [], ended: false, lease_ms: 1_000 },
				entries: [{ type: "phase.started", phase: "started", strategy_id: null, attempt: null, at_ms: 1, payload: {} }],
			};
			assert.is(await store.writer.commit(commit), "ok");
			const expected = Object.assign({ ...before, last_updated: "now" }, ...debugPatterns.map(fieldsOf));
			assert.equal(await client.hgetall(scanKeys(scanId).debug), expected);
			assert.is(await client.hget(scanKeys(scanId).results, "d:x"), "y");
		}),
		{ numRuns: 40 },
	);
});

parts("totals by what their names share are added to the fields with those names", async () => {
	const name = fc.array(fc.constantFrom("scan", "_seconds", "ü€", "|", "le", "0.05", "+Inf", " 7 ", "sum_ms"), {
		minLength: 1,
		maxLength: 6,
	});
	let n = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.dictionary(
				name.map((words) => words.join("")),
				fc.integer({ min: -1_000, max: 1_000_000 }),
				{ minKeys: 1 },
			),
			async (amounts) => {
				n += 1;
				const keys = [`totals:{${n}}`, `guard:{${n}}`];
				const words = frontCoded(new Map(Object.entries(amounts)));
				for (const scanId of ["a", "b"])
					assert.equal(await scripts.runScript(client, scripts.COUNT_TOTALS, [...keys, 60, 1, scanId, ...words]), []);
				const doubled = Object.entries(amounts).map(([field, amount]) => [field, String(2 * amount)]);
				assert.equal(await client.hgetall(keys[0] as string), Object.fromEntries(doubled));
			},
		),
		{ numRuns: 40 },
	);
});

parts.run();
