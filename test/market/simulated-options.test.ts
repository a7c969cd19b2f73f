import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptionChain, OptionQuote } from "../../src/market/contract.ts";
import { expiriesAt, strikesAround } from "../../src/market/simulated-options-listing.ts";
import { SIMULATION_START_MS } from "../../src/market/simulated-world.ts";
import { simulatedAt } from "../support/option-market.ts";

const test = suite("simulated options");
const AS_OF = Date.UTC(2025, 10, 10, 10, 3, 20);
const DAY = 86_400_000;
const read = (as_of_ms = AS_OF) => ({ signal: new AbortController().signal, as_of_ms });
const chainAt = async (seed: number, base: string, atMs = AS_OF): Promise<OptionChain> => {
	const chain = await simulatedAt(seed, atMs).optionChain(base, read(atMs));
	if (!chain) throw new Error(`no chain of ${base}`);
	return chain;
};
const expiriesOf = (chain: OptionChain): OptionQuote[][] => {
	const groups = new Map<number, OptionQuote[]>();
	for (const quote of chain.quotes) groups.set(quote.expiry_ms, [...(groups.get(quote.expiry_ms) ?? []), quote]);
	return [...groups.values()];
};

test("a chain is a function of seed and instant, whoever asks when", async () => {
	const later = simulatedAt(5, AS_OF + 400 * DAY);
	await later.optionChain("ETH", read(AS_OF + 400 * DAY));
	assert.equal(await later.optionChain("BTC", read()), await chainAt(5, "BTC"));
	assert.not.equal(await chainAt(6, "BTC"), await chainAt(5, "BTC"));
	const [early, late] = [
		await simulatedAt(5, AS_OF).volatilityHistory("BTC", read()),
		await later.volatilityHistory("BTC", read(AS_OF + 100 * DAY)),
	];
	assert.ok(early && late && early.length < late.length);
	assert.equal([...late.atm_iv.subarray(0, early.length)], [...early.atm_iv], "a recorded day changed");
	assert.ok((early.time.at(-1) ?? 0) <= AS_OF, "a day of the future");
});

test("nothing is quoted without a class, before the start or after the clock", async () => {
	const market = simulatedAt(5, AS_OF);
	assert.is(await market.optionChain("SOL", read()), null);
	assert.is(await market.volatilityHistory("SOL", read()), null);
	assert.is(await market.optionChain("BTC", read(SIMULATION_START_MS - DAY)), null);
	assert.is(await market.volatilityHistory("BTC", read(SIMULATION_START_MS - DAY)), null);
	assert.equal(await market.optionChain("BTC", read(AS_OF + 9 * DAY)), await chainAt(5, "BTC"));
});

test("quotes stand around a forward near the spot price; sizes, sides and interest make sense", async () => {
	for (const base of ["BTC", "ETH", "AVAX"]) {
		const chain = await chainAt(5, base);
		const candles = await simulatedAt(5, AS_OF).candles(`${base}/USDT`, "1m", { ...read(), limit: 1 });
		const spot = candles.close[0] ?? Number.NaN;
		assert.is(chain.venue, "simulated_options");
		assert.is(chain.at_ms, Math.floor(AS_OF / 60_000) * 60_000);
		assert.is(chain.inverse, base !== "AVAX");
		assert.is(new Set(chain.quotes.map(({ symbol }) => symbol)).size, chain.quotes.length);
		for (const quote of chain.quotes) {
			const years = (quote.expiry_ms - chain.at_ms) / (365 * DAY);
			assert.ok(Math.abs(Math.log((quote.forward ?? 0) / spot)) < 0.25 * years + 1e-9, quote.symbol);
			assert.ok((quote.ask ?? 0) > (quote.bid ?? 0) && (quote.ask_quantity ?? 0) >= 0, quote.symbol);
			assert.is(quote.bid === null, quote.bid_quantity === null);
			assert.ok(Number.isInteger(quote.open_interest), quote.symbol);
			if (quote.bid_iv !== null && quote.ask_iv !== null) assert.ok(quote.bid_iv < quote.ask_iv, quote.symbol);
		}
	}
	const [btc, avax] = [await chainAt(5, "BTC"), await chainAt(5, "AVAX")];
	assert.match(btc.quotes[0]?.symbol ?? "", /^BTC\/USD:BTC-\d{6}-[\d.]+-[CP]$/);
	assert.match(avax.quotes[0]?.symbol ?? "", /^AVAX\/USDC:USDC-\d{6}-[\d.]+-[CP]$/);
});

test("marks are free of arbitrage: parity, convexity in the strike, variance that grows with time", async () => {
	for (let seed = 1; seed <= 8; seed++) {
		for (const base of ["BTC", "ETH", "AVAX"]) {
			const chain = await chainAt(seed, base, AS_OF + seed * 37 * DAY);
			const variances: number[] = [];
			for (const quotes of expiriesOf(chain)) {
				const forward = quotes[0]?.forward ?? 0;
				const unit = chain.inverse ? forward : 1;
				const calls = quotes.filter(({ kind }) => kind === "call");
				const marks = calls.map(({ strike, mark_price }) => [strike, (mark_price ?? 0) * unit] as const);
				calls.forEach((call) => {
					const put = quotes.find(({ kind, strike }) => kind === "put" && strike === call.strike);
					const synthetic = ((call.mark_price ?? 0) - (put?.mark_price ?? 0)) * unit + call.strike;
					assert.ok(Math.abs(synthetic / forward - 1) < 1e-9, "parity");
				});
				for (let i = 1; i + 1 < marks.length; i++) {
					const [[k0, c0], [k1, c1], [k2, c2]] = [marks[i - 1], marks[i], marks[i + 1]] as [
						readonly [number, number],
						readonly [number, number],
						readonly [number, number],
					];
					const [left, right] = [(c1 - c0) / (k1 - k0), (c2 - c1) / (k2 - k1)];
					assert.ok(left >= -1 && left <= right + 1e-12 && right <= 1e-12, `${base} ${seed}: butterfly at ${k1}`);
				}
				const middle = calls.reduce((a, b) => (Math.abs(b.strike - forward) < Math.abs(a.strike - forward) ? b : a));
				variances.push((middle.mark_iv ?? 0) ** 2 * (middle.expiry_ms - chain.at_ms));
			}
			for (let i = 1; i < variances.length; i++) {
				// Strikes near the forward are not the forward: the smile may move them by a hair.
				assert.ok((variances[i] ?? 0) > 0.97 * (variances[i - 1] ?? 0), `${base} ${seed}: calendar`);
			}
		}
	}
});

test("few quotes are left behind, and one class is wide", async () => {
	let [stale, all] = [0, 0];
	const spreads: Record<string, number[]> = { BTC: [], AVAX: [] };
	for (let i = 0; i < 24; i++) {
		for (const base of ["BTC", "AVAX"]) {
			const chain = await chainAt(9, base, AS_OF + i * 11 * 3_600_000);
			for (const { bid_iv, ask_iv, mark_iv, bid, ask, strike, forward } of chain.quotes) {
				if (bid_iv === null || ask_iv === null || mark_iv === null) continue;
				if (Math.abs(Math.log(strike / (forward ?? 1))) < 0.03)
					spreads[base]?.push((2 * ((ask ?? 0) - (bid ?? 0))) / ((ask ?? 0) + (bid ?? 0)));
				if (base === "AVAX") continue;
				all++;
				if (mark_iv < bid_iv * 0.95 || mark_iv > ask_iv * 1.05) stale++;
			}
		}
	}
	assert.ok(stale > 0 && stale / all < 0.002, `${stale} of ${all}`);
	const median = (values: number[] = []) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
	assert.ok(median(spreads.BTC) < 0.05 && median(spreads.AVAX) > 0.1, `${median(spreads.BTC)} ${median(spreads.AVAX)}`);
});

test("implied volatility is the realised one and a premium that comes and goes", async () => {
	let [above, days, ratio] = [0, 0, 0];
	for (let seed = 1; seed <= 4; seed++) {
		const market = simulatedAt(seed, AS_OF);
		const [history, series] = [
			await market.volatilityHistory("BTC", read()),
			await market.candles("BTC/USDT", "1d", read()),
		];
		if (!history) throw new Error("no history");
		for (let t = 60; t + 30 < series.length; t += 10) {
			let squares = 0;
			for (let i = t + 1; i <= t + 30; i++) {
				squares += Math.log((series.close[i] ?? 1) / (series.close[i - 1] ?? 1)) ** 2;
			}
			const realised = Math.sqrt((365 * squares) / 30);
			const implied = history.atm_iv[t + 1] ?? Number.NaN;
			days++;
			ratio += Math.log(implied / realised);
			if (implied > realised) above++;
		}
	}
	assert.ok(above / days > 0.5 && above / days < 0.8, `implied above realised on ${above / days}`);
	assert.ok(ratio / days > 0 && ratio / days < 0.2, `mean log ratio ${ratio / days}`);
});

test("the listing: Fridays at 08:00, round strikes on both sides", () => {
	const expiries = expiriesAt(AS_OF);
	assert.ok(expiries.length >= 8 && expiries.every((expiry, i) => i === 0 || expiry > (expiries[i - 1] ?? 0)));
	for (const expiry of expiries) assert.equal([new Date(expiry).getUTCDay(), new Date(expiry).getUTCHours()], [5, 8]);
	assert.ok(expiries.some((expiry) => expiry - AS_OF > 180 * DAY));
	const strikes = strikesAround(35_000, 0.12);
	assert.ok(strikes.length >= 9 && (strikes[0] ?? 0) < 30_000 && (strikes.at(-1) ?? 0) > 40_000, strikes.join());
	assert.ok(strikes.every((strike) => strike % 500 === 0));
	assert.ok(strikesAround(0.13, 0.2).every((strike) => strike > 0));
});

test.run();
