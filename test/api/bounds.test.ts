import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import { STATE_BYTES_MAX } from "../../src/runtime/scan-commit.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { type Answer, type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { tally } from "../support/scan-input.ts";
import { testLogger } from "../support/store.ts";
import { acceptedScan, recordOf, untilRecord } from "../support/stuck.ts";
import {
	commandDeps,
	commandsOn,
	quickEffects,
	rankedNow,
	runtimeOn,
	startRequest,
	viewer,
} from "../support/system.ts";

/** Nothing grows without end (I14): what happens beyond each bound, and that it is said clearly. */
const bounds = suite("API: bounds on scans");

let world: LiveWorld;
let client: Redis;

bounds.before(async () => {
	world = await startLiveWorld();
	client = createRedisClient(world.redis.connection, "commands", testLogger());
});
bounds.after(async () => {
	await closeRedisClient(client);
	await world.stop();
});

const start = (api: TestApi, token: string, symbols: string): Promise<Answer> =>
	api.call("POST", "/api/v1/opportunities/discover", { token, body: { symbols } });

/** A problem that says when to come again, twice and equally. */
function refusedUntil(answer: Answer, status: number, code: string): void {
	assert.is(answer.status, status, answer.text);
	assert.is(answer.json["code"], code);
	assert.ok(Number(answer.headers["retry-after"]) >= 1);
	assert.is(answer.json["retry_after_seconds"], Number(answer.headers["retry-after"]));
}

bounds(
	"starts beyond a user's share of a minute are 429 with Retry-After on every process, and cost nobody else",
	within(20_000, async () => {
		const config = { rate: { discoverMax: 2, onboardMax: 5, otherMax: 100 } };
		const [first, second] = [await world.api({ config }), await world.api({ config })];
		const [me, other] = [await first.userWith("trader"), await first.userWith("trader")];
		assert.is((await start(first, me.token, "BTC")).status, 200);
		assert.is((await start(second, me.token, "ETH")).status, 200);
		refusedUntil(await start(first, me.token, "SOL"), 429, "rate_limited");
		refusedUntil(await start(second, me.token, "SOL"), 429, "rate_limited");
		assert.is((await start(first, other.token, "BTC")).status, 200);
		assert.is((await first.call("GET", "/api/v1/auth/me", { token: me.token })).status, 200);
	}),
);

bounds(
	"a full queue is 503 overloaded with Retry-After, leaves nothing behind, and takes scans again once one is claimed",
	within(20_000, async () => {
		const queued = async () => (await world.store.statistics.activeScans()).queued;
		const { settings } = commandDeps(world.store, async () => {});
		const queue_max = (await queued()) + 2;
		const api = await world.api({ commands: { queued, settings: { ...settings, queue_max } } });
		const me = await api.userWith("trader");
		const waiting = await start(api, me.token, "BTC");
		assert.equal([waiting.status, (await start(api, me.token, "ETH")).status], [200, 200]);
		const keys = await client.dbsize();
		refusedUntil(await start(api, me.token, "SOL"), 503, "overloaded");
		assert.is(await queued(), queue_max);
		assert.ok((await client.dbsize()) <= keys, "no key is left of a refused start");
		await world.runtime().run(String(waiting.json["scan_id"]));
		assert.is((await start(api, me.token, "SOL")).status, 200);
	}),
);

bounds("rows beyond ROWS_LIMIT are counted as rank_limit, and neither stored nor told in the journal", async () => {
	const { store } = world;
	const [found, kept] = [50, 5];
	const effects = quickEffects({
		async evaluateStrategy({ strategy_id, attempt }) {
			const row_ids = Array.from({ length: found }, (_, i) => `${strategy_id}-${i}`);
			return {
				report: {
					strategy_id,
					attempt,
					kind: "finished",
					degraded: null,
					tally: tally({ candidates_total: found, evaluated: found, row_ids }),
				},
				attachments: { rows: new Map(row_ids.map((id) => [id, { opportunity_id: id }])) },
			};
		},
	});
	const scanId = await acceptedScan(store, { rows_max: kept });
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	const { context } = await recordOf(store, scanId);
	const ran = context.strategies.filter(({ verdict }) => verdict !== "skipped");
	const cut = ran.reduce((sum, { tally: counts }) => sum + (counts.rejected["rank_limit"] ?? 0), 0);
	assert.equal([ran.flatMap(({ tally: counts }) => counts.row_ids).length, cut], [kept, found * ran.length - kept]);
	const fields = await client.hkeys(scanKeys(scanId).results);
	assert.is(fields.filter((name) => name.startsWith("r:")).length, kept);
	const journal = await store.reader.journal(scanId, 0, 10_000);
	assert.is(journal.filter(({ type }) => type === "strategy.row_found").length, kept);
	assert.ok(journal.length <= 20 + kept + 4 * context.strategies.length, `${journal.length} entries`);
});

for (const [how, ranking] of [
	["an effect", {}],
	["done at once", { rankAtOnce: rankedNow }],
] as const)
	bounds(
		`where ranking is ${how}: a state beyond its bytes ends the scan with a reason and keeps what was committed before`,
		async () => {
			const { store } = world;
			const effects = quickEffects(ranking);
			const { evaluateStrategy } = effects;
			let evaluated = 0;
			effects.evaluateStrategy = async (effect, context) => {
				const outcome = await evaluateStrategy(effect, context);
				evaluated += 1;
				if (evaluated === 1) return outcome;
				await untilRecord(store, scanId, (found) => found.context.opportunities_found > 0);
				const miss = { symbol: "x".repeat(STATE_BYTES_MAX), reason: "no_trigger", value: 1, threshold: 2, distance: 1 };
				return {
					...outcome,
					report: { ...outcome.report, tally: tally({ ...outcome.report.tally, near_misses: [miss] }) },
				};
			};
			const scanId = await acceptedScan(store);
			assert.is(await runtimeOn(store, effects).run(scanId), "ended");
			const { position, context, damaged } = await recordOf(store, scanId);
			assert.equal([position, damaged, context.end?.error?.code], ["failed", undefined, "internal_error"]);
			assert.match(context.end?.error?.message ?? "", /would take \d+ bytes in one commit, more than 4194304/);
			assert.is(context.opportunities_found, 1, "what the first strategy found is kept");
			assert.ok(context.strategies.every(({ verdict }) => verdict !== null));
			assert.ok((await client.hvals(scanKeys(scanId).scan)).join("").length < 100_000);
		},
	);

bounds("commands that nobody takes do not fill the inbox of a scan: the newest hundred stay", async () => {
	const { store } = world;
	const scanId = await acceptedScan(store);
	const asked = { type: "scan.cancel_requested", by: "me", reason: "user_request", superseded_by: null };
	for (let i = 0; i < 130; i++) assert.is(await store.writer.send(scanId, { ...asked, n: i }), "ok");
	assert.is(await client.xlen(scanKeys(scanId).inbox), 100);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
	assert.is(await store.writer.send(scanId, asked), "ended", "an ended scan takes none");
});

bounds("beyond USER_SCANS_KEPT a user's oldest ended scans expire early, and their ids say so", async () => {
	const { store } = world;
	const me = viewer(60_001);
	const runtime = runtimeOn(store, quickEffects(), { onEnded: (record) => book(store.writer, record, 2) });
	const ids: string[] = [];
	for (const filter_key of ["one", "two", "three", "four"]) {
		const { scan_id } = await commandsOn(store, async () => {}).startScan(me, startRequest({ filter_key }));
		// The order of age is that of acceptance, to the millisecond.
		while (store.clock.now() <= ((await store.reader.read(scan_id))?.context.input.accepted_at_ms ?? 0));
		await runtime.run(scan_id);
		ids.push(scan_id);
	}
	const { user_id } = me;
	const [one = "", two = "", three = "", four = ""] = ids;
	assert.equal(await store.reader.listByUser(user_id, 0, 10), [four, three]);
	for (const gone of [one, two]) {
		assert.is(await store.reader.read(gone), null);
		assert.ok((await store.reader.expiredAt(user_id, gone)) !== null, "answered with 410, not 404");
		const keys = Object.values(scanKeys(gone));
		assert.is(await client.exists(...keys), 0);
	}
});

bounds.run();
