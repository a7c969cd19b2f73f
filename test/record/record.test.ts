/** Recording from the replay exchange: round trip, stops anywhere, faults, wrong data. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Clock, systemClock } from "../../src/clock.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import { RecordError } from "../../src/record/client.ts";
import { sha256Of } from "../../src/record/files.ts";
import type { RecordRequest } from "../../src/record/options.ts";
import { record } from "../../src/record/run.ts";
import { type RecordedFixture, writeRecordedFixture } from "../support/recorded-fixture.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";
import { replaySet, SET_END_MS } from "../support/replay-set.ts";
import { within } from "../support/wait.ts";

const test = suite("record");
const HOUR = 3_600_000;

let fixture: RecordedFixture;
let exchange: ReplayExchange;
const folders: string[] = [];

const folder = async (): Promise<string> => {
	const dir = await mkdtemp(path.join(tmpdir(), "lookout-record-"));
	folders.push(dir);
	return dir;
};

/** A timer fires at once and its length is noted: nothing here waits for a pause to end. */
const pauses: number[] = [];
const impatient: Clock = {
	now: systemClock.now,
	setTimeout(callback, delayMs) {
		// The deadline of a request is a real one.
		if (delayMs >= 60_000) return systemClock.setTimeout(callback, delayMs);
		pauses.push(delayMs);
		return systemClock.setTimeout(callback, 0);
	},
	clearTimeout: systemClock.clearTimeout,
};

const BOTH: RecordRequest = {
	exchanges: ["binance", "binanceusdm"],
	timeframes: ["1h", "1d"],
	symbols: null,
	since_ms: null,
	until_ms: null,
};
const recordInto = (out: string, request: Partial<RecordRequest> = {}, signal = new AbortController().signal) =>
	record(
		{ request: { ...BOTH, ...request }, out, baseUrl: exchange.baseUrl },
		{ clock: impatient, signal, say: () => {}, throttle: false },
	);

/** File -> digest of its bytes, of everything in the folder. */
async function digests(dir: string): Promise<Record<string, string>> {
	const names = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
	const found: [string, string][] = [];
	for (const entry of names) {
		const file = path.join(entry.parentPath, entry.name);
		found.push([path.relative(dir, file), sha256Of(await readFile(file))]);
	}
	return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const open = (dir: string): Promise<MarketData> =>
	createRecordedMarketData({ dir, asOfMs: null, latencyMs: 0, clock: systemClock });
const failureOf = async (work: Promise<unknown>): Promise<Error> => {
	try {
		await work;
	} catch (error) {
		return error as Error;
	}
	throw new assert.Assertion({
		message: "it did not fail",
		operator: "throws",
		expects: "",
		actual: "",
		generated: false,
	});
};

let whole: string;
test.before(async () => {
	fixture = await writeRecordedFixture(replaySet({ hours: 1100, days: 40 }));
	exchange = await createReplayExchange({ dir: fixture.dir });
	whole = await folder();
	const { failures } = await recordInto(whole);
	assert.equal(failures, []);
});
test.before.each(() => {
	exchange.clearFaults();
	exchange.resetStats();
	pauses.length = 0;
});
test.after(async () => {
	await exchange.close();
	await fixture.remove();
	for (const dir of folders) await rm(dir, { recursive: true, force: true });
});

test("what was recorded is the market that it was recorded from", async () => {
	const [original, copy] = [await open(fixture.dir), await open(whole)];
	try {
		assert.is(copy.now(), original.now());
		assert.equal(copy.venues(), original.venues());
		const read = { signal: new AbortController().signal, as_of_ms: original.now() };
		let compared = 0;
		for (const venue of original.venues()) {
			const [markets, copied] = [await original.markets(venue, read), await copy.markets(venue, read)];
			assert.equal(copied.map(({ symbol }) => symbol).sort(), markets.map(({ symbol }) => symbol).sort());
			for (const { symbol } of markets) {
				for (const timeframe of ["1h", "4h", "1d"] as const) {
					const answer = (market: MarketData) =>
						market.candles(symbol, timeframe, read).catch((error: { code: string }) => error.code);
					const expected = await answer(original);
					assert.equal(await answer(copy), expected, `${symbol} ${timeframe}`);
					if (typeof expected !== "string") compared += expected.length;
				}
				assert.equal(await copy.funding(symbol, read), await original.funding(symbol, read), symbol);
				assert.equal(await copy.openInterest(symbol, read), await original.openInterest(symbol, read), symbol);
			}
		}
		assert.ok(compared > 5000, `${compared} candles compared`);
	} finally {
		await original.close();
		await copy.close();
	}
});

test("the manifest names every file with its rows, its digest and its span", async () => {
	const manifest = JSON.parse(await readFile(path.join(whole, "MANIFEST.json"), "utf8"));
	const { "MANIFEST.json": _, ...files } = await digests(whole);
	assert.equal(
		Object.fromEntries(manifest.files.map((entry: { file: string; sha256: string }) => [entry.file, entry.sha256])),
		files,
	);
	assert.is(manifest.as_of, new Date(SET_END_MS).toISOString());
	const hourly = manifest.files.find(({ file }: { file: string }) => file === "binance_spot_1h/AAAUSDT.csv.gz");
	assert.is(hourly.rows, 1100);
	assert.is(hourly.to, new Date(SET_END_MS - HOUR).toISOString());
	assert.is(hourly.missing, 0);
	assert.equal(manifest.empty, ["binance_usdm/1d/币安人生USDT.csv.gz", "binance_usdm/1h/币安人生USDT.csv.gz"]);
});

test("stopped again and again, each time some files later, it ends in the same bytes", async () => {
	const out = await folder();
	for (let stops = 0; ; stops++) {
		const abort = new AbortController();
		const stop = new Error("stopped");
		let made = 0;
		const say = () => {
			if (++made > stops) abort.abort(stop);
		};
		const run = record(
			{ request: BOTH, out, baseUrl: exchange.baseUrl },
			{ clock: impatient, signal: abort.signal, say, throttle: false },
		);
		const end = await run.then(
			({ manifest }) => manifest,
			(error: unknown) => error,
		);
		if (end !== stop) break;
		assert.ok(stops < 40);
	}
	assert.equal(await digests(out), await digests(whole));
});

test("killed in the middle of a file, with a torn journal, the command goes on to the same bytes", async () => {
	const out = await folder();
	const symbols = ["--symbols", "AAAUSDT,1000CCC/USDT:USDT"];
	const args = ["--import", "tsx", "src/record.ts", "--exchange", "binance,binanceusdm", "--out", out];
	const start = () =>
		spawn(process.execPath, [...args, ...symbols, "--base-url", exchange.baseUrl], {
			stdio: ["ignore", "pipe", "inherit"],
		});
	exchange.addFaults({ kind: "hang", family: "usdm", endpoint: "fundingRate", times: 1 });
	const arrived = exchange.arrival("usdm/fundingRate");
	const first = start();
	const ended = once(first, "exit");
	await within(arrived, "it asks for funding", 60_000);
	first.kill("SIGKILL");
	await ended;
	const journal = path.join(out, ".recording.jsonl");
	const torn = await readFile(journal, "utf8");
	await writeFile(journal, torn.slice(0, -20));
	await writeFile(path.join(out, "binance_spot_1d/AAAUSDT.csv.gz"), "overwritten");
	await mkdir(path.join(out, "binance_usdm/funding_long"), { recursive: true });
	await writeFile(path.join(out, "binance_usdm/funding_long/.1000CCCUSDT.csv.gz.draft"), "half");
	const [code] = await once(start(), "exit");
	assert.is(code, 0);
	const again = await folder();
	await recordInto(again, { symbols: ["1000CCC/USDT:USDT", "AAAUSDT"] });
	assert.equal(await digests(out), await digests(again));
});

test("a finished folder is left alone; another request in it is refused", async () => {
	const before = await digests(whole);
	const { manifest } = await recordInto(whole);
	assert.is(manifest?.as_of, new Date(SET_END_MS).toISOString());
	assert.is(exchange.stats().requests, 0);
	const refused = await failureOf(recordInto(whole, { timeframes: ["1d"] }));
	assert.instance(refused, RecordError);
	assert.match(refused.message, "holds another data set");
	assert.equal(await digests(whole), before);
	const hourly = path.join(whole, "binance_spot_1h/AAAUSDT.csv.gz");
	const bytes = await readFile(hourly);
	await writeFile(hourly, "overwritten");
	assert.match(
		(await failureOf(recordInto(whole))).message,
		/1 files are not what MANIFEST\.json says .*spot_1h\/AAAUSDT/,
	);
	await writeFile(hourly, bytes);
});

test("limits are waited out as long as the exchange says; faults that pass are tried again", async () => {
	const out = await folder();
	exchange.addFaults({ kind: "rate_limited", endpoint: "klines", retry_after_s: 7, times: 2 });
	exchange.addFaults({ kind: "server_error", endpoint: "fundingRate", times: 1 });
	exchange.addFaults({ kind: "truncated", endpoint: "openInterestHist", times: 1 });
	exchange.addFaults({ kind: "reset", endpoint: "exchangeInfo", times: 1 });
	const { failures } = await recordInto(out);
	assert.equal(failures, []);
	assert.equal(
		pauses.filter((ms) => ms >= 1000),
		[1000, 7000, 7000, 1000, 1000],
	);
	assert.equal(await digests(out), await digests(whole));
});

test("a ban longer than a quarter of an hour ends it with a word; the folder can be gone on with", async () => {
	const out = await folder();
	exchange.addFaults({ kind: "banned", endpoint: "fundingRate", retry_after_s: 3600, times: 1 });
	const error = await failureOf(recordInto(out));
	assert.match(error.message, /pause of 3600 s: come back later/);
	assert.equal((await recordInto(out)).failures, []);
	assert.equal(await digests(out), await digests(whole));
});

test("a file that cannot be recorded is named, the others are made, and the next start tries it again", async () => {
	const out = await folder();
	exchange.addFaults({ kind: "bad_symbol", endpoint: "fundingRate", symbol: "AAAUSDT", times: 1 });
	const { manifest, failures } = await recordInto(out);
	assert.is(manifest, null);
	assert.is(failures.length, 1);
	assert.match(failures[0] ?? "", /^binance_usdm\/funding_long\/AAAUSDT\.csv\.gz: .*Invalid symbol/);
	assert.ok((await digests(out))["binance_usdm/oi_4h/AAAUSDT.csv.gz"]);
	assert.equal((await recordInto(out)).failures, []);
	assert.equal(await digests(out), await digests(whole));
});

test("an exchange that stays away ends it after a few files", async () => {
	const out = await folder();
	exchange.addFaults({ kind: "server_error", endpoint: "klines" });
	const error = await failureOf(recordInto(out));
	assert.match(error.message, /klines.*\(7 times\)/i);
	assert.is(exchange.stats().by_endpoint["spot/klines"]?.requests, 21);
});

test("no candle that still runs, and none before --since, is recorded", async () => {
	const out = await folder();
	exchange.addFaults({ kind: "open_candle" });
	const since_ms = SET_END_MS - 30 * HOUR;
	await recordInto(out, { since_ms, symbols: ["AAA/USDT"], timeframes: ["1h"], exchanges: ["binance"] });
	const manifest = JSON.parse(await readFile(path.join(out, "MANIFEST.json"), "utf8"));
	assert.is(manifest.files[0].rows, 30);
	assert.is(manifest.files[0].from, new Date(since_ms).toISOString());
});

test("a symbol that is not listed is named before anything is written", async () => {
	const out = await folder();
	const error = await failureOf(recordInto(out, { symbols: ["AAA/USDT", "ZZZ/USDT"] }));
	assert.match(error.message, "ZZZ/USDT");
	assert.equal(await digests(out), {});
});

test.run();
