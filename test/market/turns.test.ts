import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Timeframe } from "../../src/market/contract.ts";
import { BAR_COLUMN_NAMES } from "../../src/market/series.ts";
import { createSimulatedExchange } from "../../src/market/simulated-exchange.ts";
import { barsInParts } from "../../src/market/simulated-parts.ts";
import { createTurns } from "../../src/market/turns.ts";

const test = suite("turns of the event loop");
const open = new AbortController().signal;
const DAY_MS = 86_400_000;

test("however many callers wait, each turn of the loop serves one, in order", async () => {
	const turn = createTurns();
	let loops = 0;
	let counting = true;
	const count = () => {
		loops++;
		if (counting) setImmediate(count);
	};
	setImmediate(count);
	const served: [caller: number, loop: number][] = [];
	const caller = async (name: number) => {
		for (let piece = 0; piece < 3; piece++) {
			await turn(open);
			served.push([name, loops]);
		}
	};
	await Promise.all([0, 1, 2, 3].map(caller));
	counting = false;
	assert.equal(
		served.map(([name]) => name),
		[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
	);
	assert.is(new Set(served.map(([, loop]) => loop)).size, served.length, "two pieces shared a turn");
});

test("an aborted caller gives its turn up, the others go on", async () => {
	const turn = createTurns();
	const controller = new AbortController();
	const reason = new Error("no longer wanted");
	const given = turn(controller.signal).then(
		() => assert.unreachable("it was aborted"),
		(error: unknown) => error,
	);
	const other = turn(open);
	controller.abort(reason);
	assert.is(await given, reason);
	await other;
	assert.is(await turn(controller.signal).catch((error: unknown) => error), reason);
});

test("bars made in parts are those made at once, whatever the range", async () => {
	const exchange = createSimulatedExchange(7);
	const market = exchange.find("SOL/USDT:USDT");
	assert.ok(market);
	const asOf = Date.UTC(2026, 2, 19, 19, 2, 3);
	const ranges: [Timeframe, number][] = [
		["1d", 400],
		["4h", 130],
		["1h", 130.4],
		["15m", 13],
		["5m", 12.7],
		["1m", 2.2],
		["5m", 0],
	];
	for (const [timeframe, days] of ranges) {
		const from = asOf - days * DAY_MS;
		let pauses = 0;
		const parts = await barsInParts(exchange, market, timeframe, [from, asOf], async () => {
			pauses++;
		});
		const whole = exchange.bars(market, timeframe, from, asOf);
		if (days === 0) {
			assert.is(parts.length, 0);
			continue;
		}
		assert.is(parts.length, whole.length, timeframe);
		for (const name of BAR_COLUMN_NAMES) assert.equal(parts[name], whole[name], `${timeframe} ${name}`);
		assert.ok(timeframe === "1d" ? pauses === 1 : pauses > 1, `${timeframe}: ${pauses} pauses`);
	}
});

test.run();
