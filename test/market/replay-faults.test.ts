/** Faults, budgets and the command of the replay exchange, over real HTTP and through ccxt. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Clock } from "../../src/clock.ts";
import { type RecordedFixture, writeRecordedFixture } from "../support/recorded-fixture.ts";
import { replayClient } from "../support/replay-client.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import type { FaultInput } from "../support/replay-exchange/faults.ts";
import type { ReplayStats } from "../support/replay-exchange/stats.ts";
import { replaySet, SET_END_MS } from "../support/replay-set.ts";
import { within } from "../support/wait.ts";

const test = suite("market/replay exchange, faults");
const HOUR = 3_600_000;
const MINUTE = 60_000;

/** Wall time that the tests move; a timer fires at once and moves it, so that no test waits. */
class JumpingClock implements Clock {
	ms = 1_000 * MINUTE;
	waited: number[] = [];
	now = () => this.ms;
	setTimeout(callback: () => void, delayMs: number): unknown {
		this.waited.push(delayMs);
		this.ms += delayMs;
		queueMicrotask(callback);
		return null;
	}
	clearTimeout(): void {}
}

let fixture: RecordedFixture;
let exchange: ReplayExchange;
const clock = new JumpingClock();
const KLINES = "/api/v3/klines?symbol=AAAUSDT&interval=1h&limit=3";

const jsonOf = async <T>(response: Response) => (await response.json()) as T;
const get = (path: string, init?: RequestInit) => fetch(exchange.baseUrl + path, init);
const opensOf = async (path = KLINES) => ((await (await get(path)).json()) as number[][]).map(([time]) => time);

test.before(async () => {
	fixture = await writeRecordedFixture(replaySet({ hours: 30, days: 5 }));
	exchange = await createReplayExchange({
		dir: fixture.dir,
		clock,
		limits: { spot: 10 },
		banAfter: 2,
		banMs: 5 * MINUTE,
	});
});
test.before.each(() => {
	exchange.clearFaults();
	exchange.resetStats();
	clock.ms += 60 * MINUTE;
	clock.waited = [];
});
test.after(async () => {
	await exchange.close();
	await fixture.remove();
});

test("weights add up per minute, are stated in a header, refused with 429 and then 418, and come back", async () => {
	clock.ms = Math.ceil(clock.ms / MINUTE) * MINUTE + 15_000;
	for (const used of [2, 4, 6, 8, 10]) {
		const response = await get(KLINES);
		assert.is(response.status, 200);
		assert.is(response.headers.get("x-mbx-used-weight-1m"), String(used));
	}
	for (const _ of [1, 2]) {
		const refused = await get(KLINES);
		assert.is(refused.status, 429);
		assert.is(refused.headers.get("retry-after"), "45");
		assert.is((await jsonOf<{ code: number }>(refused)).code, -1003);
	}
	const banned = await get(KLINES);
	assert.is(banned.status, 418);
	assert.is(banned.headers.get("retry-after"), "300");
	clock.ms += MINUTE;
	assert.is((await get(KLINES)).status, 418, "a ban outlives the minute");
	assert.is((await get("/fapi/v1/ping")).status, 418, "and is the address's, whatever it asks");
	clock.ms += 4 * MINUTE;
	assert.is((await get(KLINES)).status, 200);
	const { by_endpoint, weight } = exchange.stats();
	assert.equal(by_endpoint["spot/klines"], { requests: 10, weight: 12, statuses: { 200: 6, 429: 2, 418: 2 } });
	assert.is(weight, 12);
});

test("each endpoint costs what is published", async () => {
	const weightOf = async (path: string) => {
		clock.ms += 5 * MINUTE;
		exchange.resetStats();
		await get(path);
		return exchange.stats().weight;
	};
	assert.is(await weightOf("/fapi/v1/klines?symbol=AAAUSDT&interval=1h&limit=99"), 1);
	assert.is(await weightOf("/fapi/v1/klines?symbol=AAAUSDT&interval=1h&limit=499"), 2);
	assert.is(await weightOf("/fapi/v1/klines?symbol=AAAUSDT&interval=1h&limit=1000"), 5);
	assert.is(await weightOf("/fapi/v1/klines?symbol=AAAUSDT&interval=1h&limit=1500"), 10);
	assert.is(await weightOf("/fapi/v1/ticker/24hr"), 40);
	assert.is(await weightOf("/fapi/v1/premiumIndex"), 10);
	assert.is(await weightOf("/api/v3/depth?symbol=AAAUSDT&limit=100"), 5);
	assert.is(await weightOf('/api/v3/ticker/24hr?symbols=["AAAUSDT","BBBUSDT"]'), 2);
	assert.is(await weightOf("/api/v3/ping"), 1);
});

test("a fault strikes what it names, as often as it says", async () => {
	exchange.addFaults({ kind: "server_error", endpoint: "klines", symbol: "AAAUSDT", family: "spot", times: 1 });
	assert.is((await get("/fapi/v1/klines?symbol=AAAUSDT&interval=1h")).status, 200);
	assert.is((await get("/api/v3/klines?symbol=BBBUSDT&interval=1h")).status, 200);
	assert.is((await get("/api/v3/ping")).status, 200);
	assert.is((await get(KLINES)).status, 503);
	assert.is((await get(KLINES)).status, 200);
});

test("candles may come late or show one that still runs", async () => {
	const last = SET_END_MS - HOUR;
	exchange.addFaults({ kind: "stale_candle", candles: 2, endpoint: "klines" });
	assert.equal(await opensOf(), [last - 4 * HOUR, last - 3 * HOUR, last - 2 * HOUR]);
	exchange.clearFaults();
	exchange.addFaults({ kind: "open_candle" });
	assert.equal(await opensOf(), [last - HOUR, last, last + HOUR]);
	exchange.clearFaults();
	assert.equal(await opensOf(), [last - 2 * HOUR, last - HOUR, last]);
});

test("the server's clock may be wrong, and answers slow", async () => {
	exchange.addFaults({ kind: "clock_skew", skew_ms: -90_000 }, { kind: "slow", delay_ms: 7000, endpoint: "time" });
	assert.equal(await (await get("/api/v3/time")).json(), { serverTime: SET_END_MS - 90_000 });
	assert.equal(clock.waited, [7000]);
});

test("bodies may be cut, connections reset or left hanging", async () => {
	exchange.addFaults({ kind: "truncated", times: 1 });
	const response = await get(KLINES);
	assert.is(response.status, 200);
	let failure: unknown = null;
	await response.json().catch((error: unknown) => {
		failure = error;
	});
	assert.instance(failure, SyntaxError);
	exchange.addFaults({ kind: "reset", times: 1 });
	const reset = await get(KLINES).catch((error: Error) => error.message);
	assert.is(reset, "fetch failed");
	exchange.addFaults({ kind: "hang", times: 1 });
	const abort = new AbortController();
	const arrived = exchange.arrival("spot/klines");
	const hanging = get(KLINES, { signal: abort.signal }).catch((error: Error) => error.name);
	await within(arrived, "the request arrives");
	abort.abort();
	assert.is(await hanging, "AbortError");
	assert.equal(exchange.stats().by_endpoint["spot/klines"]?.statuses, { 0: 2, 200: 1 });
});

test("ccxt names each fault as it names those of the exchange itself", async () => {
	const client = await replayClient("binanceusdm", exchange.baseUrl);
	await client.loadMarkets();
	const nameOf = async (fault: FaultInput) => {
		exchange.addFaults({ ...fault, times: 1 });
		return client.fetchOHLCV("AAA/USDT:USDT", "1h").then(
			() => "none",
			(error: Error) => error.constructor.name,
		);
	};
	assert.is(await nameOf({ kind: "rate_limited", retry_after_s: 3 }), "DDoSProtection");
	assert.is(client.last_response_headers?.["Retry-After"], "3");
	assert.is(await nameOf({ kind: "banned" }), "DDoSProtection");
	assert.is(await nameOf({ kind: "server_error", status: 502 }), "ExchangeNotAvailable");
	assert.is(await nameOf({ kind: "bad_symbol" }), "BadSymbol");
	assert.is(await nameOf({ kind: "reset" }), "NetworkError");
	assert.is(await nameOf({ kind: "stale_candle" }), "none");
});

test("faults, clock and counts can be reached over HTTP; a wrong fault is refused with its reason", async () => {
	const post = (path: string, body: unknown) => get(path, { method: "POST", body: JSON.stringify(body) });
	assert.is((await post("/__faults", [{ kind: "banned", endpoint: "time" }])).status, 201);
	assert.is((await get("/api/v3/time")).status, 418);
	assert.equal(await (await get("/__faults")).json(), [{ kind: "banned", retry_after_s: 120, endpoint: "time" }]);
	assert.is((await get("/__faults", { method: "DELETE" })).status, 200);
	assert.is((await get("/api/v3/time")).status, 200);
	const wrong = await post("/__faults", { kind: "slow" });
	assert.is(wrong.status, 400);
	assert.match((await jsonOf<{ error: string }>(wrong)).error, "delay_ms");
	assert.is((await post("/__clock", { now: "2026-03-19T10:00:00Z" })).status, 200);
	assert.equal(
		await opensOf(`${KLINES}`),
		[5, 4, 3].map((back) => Date.UTC(2026, 2, 19, 10) - (back - 2) * HOUR),
	);
	assert.is((await post("/__clock", { now: "yesterday" })).status, 400);
	assert.is((await jsonOf<ReplayStats>(await get("/__stats"))).by_endpoint["spot/time"]?.requests, 2);
	assert.is((await get("/__nothing")).status, 404);
	exchange.setNow(SET_END_MS);
});

test("the command serves a folder and says where; a wrong word ends it with the usage", async () => {
	const start = (...args: string[]) =>
		spawn(process.execPath, ["--import", "tsx", "test/support/replay-exchange/command.ts", ...args]);
	const text = async (stream: AsyncIterable<unknown>) => {
		let all = "";
		for await (const chunk of stream) all += String(chunk);
		return all;
	};
	const wrong = start("--data", fixture.dir, "--as-of", "soon");
	const running = start("--data", fixture.dir, "--as-of", "2026-03-19T12:00:00Z");
	assert.match(await text(wrong.stderr), /--as-of soon is no time[\s\S]*usage: npm run replay-exchange/);
	let said = "";
	for await (const chunk of running.stdout) {
		said += String(chunk);
		if (said.includes("/__stats")) break;
	}
	const [, url = ""] = /replay exchange on (\S+)/.exec(said) ?? [];
	const { serverTime } = (await (await fetch(`${url}/fapi/v1/time`)).json()) as { serverTime: number };
	assert.is(serverTime, Date.UTC(2026, 2, 19, 12));
	running.kill("SIGTERM");
	const [code] = await once(running, "exit");
	assert.is(code, 0);
});

test.run();
