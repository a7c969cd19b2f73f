import type { Exchange } from "ccxt";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Clock } from "../../../src/clock.ts";
import { createCandles } from "../../../src/market/ccxt/candles.ts";
import type { ListedMarket } from "../../../src/market/ccxt/listing.ts";
import { profileOf } from "../../../src/market/ccxt/profiles.ts";
import { createServerClock, OFFSET_FRESH_MS, SECOND_LOOK_MS } from "../../../src/market/ccxt/server-clock.ts";
import type { SharedTime } from "../../../src/market/venue-sharing.ts";

const test = suite("market/ccxt/server-clock");
const DAY_MS = 86_400_000;

class MovedClock implements Clock {
	ms = 1_000_000;
	now = () => this.ms;
	setTimeout = () => null;
	clearTimeout = () => undefined;
}

/** How long an answer is under way. */
const WAY_MS = 20;

/** A server whose time is a function of ours; each request waits `gate.ms` for its budget first. */
const follow = (serverOf: (ms: number) => number | null) => {
	const clock = new MovedClock();
	const gate = { ms: 0 };
	const time = createServerClock(clock, async () => {
		clock.ms += gate.ms + WAY_MS;
		const told = serverOf(clock.ms);
		clock.ms += WAY_MS;
		return told;
	});
	return { clock, time, gate };
};

test("a clock that moves is followed, however far it is from ours", async () => {
	for (const skew of [-9_000_000, -300, 0, 250, 86_400_000]) {
		const { clock, time } = follow((ms) => ms + skew);
		assert.is(time.now(), null);
		await time.measure();
		clock.ms += SECOND_LOOK_MS;
		await time.measure();
		assert.is(time.standing(), false);
		clock.ms += 12_345;
		assert.is(time.now(), clock.ms + skew - WAY_MS);
	}
});

test("however long a request waits for its turn, the time is behind by the answer's way and never ahead", async () => {
	for (const waitMs of [0, 300, 40_000, 600_000]) {
		const { clock, time, gate } = follow((ms) => ms);
		await time.measure();
		clock.ms += SECOND_LOOK_MS;
		gate.ms = waitMs;
		await time.measure();
		assert.is(time.standing(), false);
		assert.is(time.now(), clock.ms - WAY_MS, `after ${waitMs} ms at the gate`);
		clock.ms += 30_000;
		assert.is(time.now(), clock.ms - WAY_MS);
	}
});

test("nor does the wait for another process's measurement put it ahead", async () => {
	const clock = new MovedClock();
	const time = createServerClock(
		clock,
		async () => clock.ms,
		async () => {
			clock.ms += 20_000;
			return { server_ms: clock.ms - 400, moving: true, age_ms: 400 };
		},
	);
	await time.measure();
	clock.ms += SECOND_LOOK_MS;
	await time.measure();
	await time.follow();
	assert.is(time.now(), clock.ms);
});

test("a slow gate at a bar's end lets no running bar be read as a closed one", async () => {
	const endMs = Date.UTC(2026, 2, 19);
	const { clock, time, gate } = follow((ms) => ms);
	clock.ms = endMs - 80_000;
	await time.measure();
	clock.ms += SECOND_LOOK_MS;
	gate.ms = 40_000;
	clock.ms = endMs - 52_000;
	await time.measure();
	assert.ok(clock.ms < endMs, "the day has not ended");
	const exchange = {
		id: "binanceusdm",
		has: { fetchOHLCV: true },
		timeframes: { "1d": "1d" },
		parseOHLCV: (row: unknown) => row,
		async fetchOHLCV(_symbol: string, _timeframe: string, from: number, limit: number) {
			const rows: number[][] = [];
			for (let open = Math.ceil(from / DAY_MS) * DAY_MS; open <= clock.ms && rows.length < limit; open += DAY_MS)
				rows.push([open, 100, 101, 99, open + DAY_MS > clock.ms ? 100.2 : 100.9, 60]);
			return rows;
		},
	} as unknown as Exchange;
	const market = { symbol: "BTC/USDT:USDT", active: true, swap: true, linear: true } as unknown as ListedMarket;
	const candles = createCandles(exchange, profileOf("binanceusdm"));
	const read = () => candles.read(market, "1d", time.now() ?? 0, 30);
	const before = await read();
	assert.is(before.open_time.at(-1), endMs - 2 * DAY_MS);
	clock.ms = endMs + 3_600_000;
	const after = await read();
	assert.is(after.open_time.at(-1), endMs - DAY_MS);
	assert.is(after.close.at(-1), 100.9);
});

test("a clock that stands still stays where it is", async () => {
	const { clock, time } = follow(() => 1_773_946_800_000);
	for (let i = 0; i < 3; i++) {
		await time.measure();
		clock.ms += 3_600_000;
		assert.is(time.standing(), true);
		assert.is(time.now(), 1_773_946_800_000);
	}
});

test("a clock in whole seconds is not taken for one that stands", async () => {
	const { clock, time } = follow((ms) => Math.floor(ms / 1000) * 1000);
	await time.measure();
	clock.ms += SECOND_LOOK_MS;
	await time.measure();
	assert.is(time.standing(), false);
});

test("a second look that comes too soon decides nothing", async () => {
	const { clock, time } = follow((ms) => ms);
	await time.measure();
	clock.ms += SECOND_LOOK_MS;
	await time.measure();
	await time.measure();
	assert.is(time.standing(), false);
});

test("an offset is fresh for a while; a time that is not known is asked for sooner", async () => {
	const { clock, time } = follow((ms) => ms);
	assert.is(time.stale(), true);
	await time.measure();
	assert.is(time.stale(), false);
	clock.ms += OFFSET_FRESH_MS + 1;
	assert.is(time.stale(), true);
	const failing = createServerClock(clock, async () => {
		throw new Error("away");
	});
	await failing.measure().catch(() => undefined);
	assert.is(failing.now(), null);
	assert.is(failing.stale(), false);
	clock.ms += 1001;
	assert.is(failing.stale(), true);
});

test("what another process has measured is taken with its age, and whether the clock moves", async () => {
	const clock = new MovedClock();
	let asked = 0;
	const read = async () => {
		asked++;
		return 5_000_000;
	};
	const of = (moving: boolean) =>
		createServerClock(clock, read, async () => ({ server_ms: 7_000_000, moving, age_ms: 400 }));
	for (const [moving, then] of [
		[true, 7_000_400 + 250],
		[false, 7_000_000],
	] as const) {
		const time = of(moving);
		// The first one shows nothing that others could use: each makes its own.
		await time.follow();
		assert.is(time.now(), 5_000_000);
		clock.ms += SECOND_LOOK_MS;
		await time.follow();
		clock.ms += 250;
		assert.is(time.standing(), !moving);
		assert.is(time.now(), then);
	}
	assert.is(asked, 2);
});

test("whoever measures for all tells what it found", async () => {
	const clock = new MovedClock();
	const told: unknown[] = [];
	const time = createServerClock(
		clock,
		async () => clock.ms + 300,
		async (_, measure) => {
			const found = await measure();
			told.push(found);
			return { ...found, age_ms: 0 };
		},
	);
	await time.follow();
	clock.ms += SECOND_LOOK_MS;
	await time.follow();
	assert.equal(told, [{ server_ms: clock.ms + 300, moving: true }]);
	assert.is(time.now(), clock.ms + 300);
});

test("a look that comes right after the first one is kept from the others: it does not show whether the clock moves", async () => {
	const clock = new MovedClock();
	let kept: { told: Omit<SharedTime, "age_ms">; at_ms: number } | null = null;
	const open = () =>
		createServerClock(
			clock,
			async () => clock.ms,
			async (freshMs, measure) => {
				if (kept === null || clock.ms - kept.at_ms >= freshMs) kept = { told: await measure(), at_ms: clock.ms };
				return { ...kept.told, age_ms: clock.ms - kept.at_ms };
			},
		);
	const [first, second] = [open(), open()];
	await first.measure();
	// A readiness probe, long before the second look.
	clock.ms += 200;
	await first.follow();
	assert.is(kept, null);
	clock.ms += SECOND_LOOK_MS - 200;
	await first.follow();
	assert.is(first.standing(), false);
	await second.measure();
	await second.follow();
	clock.ms += SECOND_LOOK_MS;
	await second.follow();
	clock.ms += 55_000;
	for (const time of [first, second]) {
		assert.is(time.standing(), false);
		assert.is(time.now(), clock.ms);
	}
});

test("an exchange that does not tell the time has the one that is given for it, else ours", async () => {
	const { clock, time } = follow(() => null);
	await time.measure();
	clock.ms += 5000;
	assert.is(time.now(), clock.ms);
	const shared = createServerClock(
		clock,
		async () => null,
		null,
		() => clock.ms - 70_000,
	);
	await shared.measure();
	clock.ms += 5000;
	assert.is(shared.now(), clock.ms - 70_000);
});

test.run();
