import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { black76, black76Greeks, type OptionTerms } from "../../src/pricing/black76.ts";
import { impliedVolatility } from "../../src/pricing/implied-volatility.ts";
import { normalDistribution } from "../../src/pricing/normal.ts";
import { sharedRoot } from "../support/recorded-bars.ts";

const test = suite("option pricing");
const near = (actual: number, expected: number, tolerance: number, what = "") =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not ${expected}`);

interface Haug {
	greek?: string;
	type: "call" | "put";
	strike: number;
	spot: number;
	q: number;
	r: number;
	t: number;
	vol: number;
	value: number;
}
interface Reference {
	values: Haug[];
	greeks: Haug[];
	hull: { S: number; K: number; r: number; vol: number; T: number; call_exact: number; put_exact: number };
	deribit: {
		sample: {
			instrument: string;
			type: "call" | "put";
			F: number;
			K: number;
			T: number;
			mark_iv: number;
			mark_price_btc: number;
			delta: number;
			model_gamma: number;
			model_vega_per_pct: number;
			model_theta_per_day: number;
		}[];
	};
}

const forwardTerms = ({ type, strike, spot, q, r, t }: Haug): OptionTerms => ({
	kind: type,
	forward: spot * Math.exp((r - q) * t),
	strike,
	years: t,
});

/** Greeks with rates and yield from those on the forward, by the chain rule. */
function spotGreek(row: Haug): number {
	const { r, q, t, spot, vol } = row;
	const terms = forwardTerms(row);
	const { delta, gamma, vega, theta } = black76Greeks(terms, vol);
	const discount = Math.exp(-r * t);
	const growth = Math.exp((r - q) * t);
	const value = discount * black76(terms, vol);
	const greeks: Record<string, number> = {
		delta: discount * growth * delta,
		gamma: discount * growth ** 2 * gamma,
		vega: discount * vega,
		theta: r * value - discount * delta * terms.forward * (r - q) + discount * theta,
		rho: -t * value + discount * delta * terms.forward * t,
	};
	assert.ok(spot > 0);
	return greeks[row.greek ?? ""] ?? Number.NaN;
}

if (!sharedRoot) process.stdout.write("SKIP published option values: ../shared/reference is missing\n");
else {
	const reference = JSON.parse(readFileSync(join(sharedRoot, "reference/black_scholes.json"), "utf8")) as Reference;

	test("43 published values, and the volatility back from each that has one", () => {
		assert.is(reference.values.length, 43);
		for (const row of reference.values) {
			const terms = forwardTerms(row);
			const discount = Math.exp(-row.r * row.t);
			near(discount * black76(terms, row.vol), row.value, 1e-4, JSON.stringify(row));
			if (discount * black76Greeks(terms, row.vol).vega <= 0.5) continue;
			near(impliedVolatility(terms, row.value / discount) ?? Number.NaN, row.vol, 1e-3, JSON.stringify(row));
		}
	});

	test("six published Greeks", () => {
		assert.is(reference.greeks.length, 6);
		for (const row of reference.greeks) near(spotGreek(row), row.value, 1e-4, row.greek);
	});

	test("the textbook example", () => {
		const { S, K, r, T, vol, call_exact, put_exact } = reference.hull;
		const terms = { forward: S * Math.exp(r * T), strike: K, years: T };
		near(Math.exp(-r * T) * black76({ ...terms, kind: "call" }, vol), call_exact, 1e-9);
		near(Math.exp(-r * T) * black76({ ...terms, kind: "put" }, vol), put_exact, 1e-9);
	});

	test("an exchange's marks: premiums in the base within 2.4e-4, deltas within 1.1e-4", () => {
		const { sample } = reference.deribit;
		assert.ok(sample.length >= 40);
		for (const row of sample) {
			const terms: OptionTerms = { kind: row.type, forward: row.F, strike: row.K, years: row.T };
			const volatility = row.mark_iv / 100;
			near(black76(terms, volatility) / row.F, row.mark_price_btc, 2.4e-4, row.instrument);
			const greeks = black76Greeks(terms, volatility);
			near(greeks.delta, row.delta, 1.1e-4, row.instrument);
			near(greeks.gamma, row.model_gamma, 1e-9, row.instrument);
			near(greeks.vega / 100, row.model_vega_per_pct, 1e-6, row.instrument);
			near(greeks.theta / 365, row.model_theta_per_day, 1e-6, row.instrument);
		}
	});
}

test("the normal distribution to twelve digits", () => {
	// Abramowitz and Stegun, table 26.1.
	near(normalDistribution(0), 0.5, 1e-15);
	near(normalDistribution(1), 0.841344746068543, 1e-14);
	near(normalDistribution(-2), 0.0227501319481792, 1e-14);
	near(normalDistribution(-8) / 6.22096057427178e-16, 1, 1e-6);
	assert.equal([normalDistribution(50), normalDistribution(-50)], [1, 0]);
	assert.ok(Number.isNaN(normalDistribution(Number.NaN)));
});

const anyTerms = fc.record({
	kind: fc.constantFrom<"call" | "put">("call", "put"),
	forward: fc.double({ min: 0.01, max: 1e5, noNaN: true }),
	moneyness: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
	years: fc.double({ min: 0.01, max: 2, noNaN: true }),
	volatility: fc.double({ min: 0.1, max: 3, noNaN: true }),
});

test("parity, scale and the Greeks as slopes", () => {
	fc.assert(
		fc.property(anyTerms, ({ forward, moneyness, years, volatility }) => {
			const base = { forward, strike: forward * Math.exp(moneyness), years };
			const [call, put] = [
				black76({ ...base, kind: "call" }, volatility),
				black76({ ...base, kind: "put" }, volatility),
			];
			near((call - put) / forward, 1 - Math.exp(moneyness), 1e-12);
			const scaled = { kind: "call", forward: 7 * base.forward, strike: 7 * base.strike, years } as const;
			near(black76(scaled, volatility) / (7 * forward), call / forward, 1e-12);
			const terms = { ...base, kind: "call" } as const;
			const greeks = black76Greeks(terms, volatility);
			const step = forward * 1e-4;
			const at = (change: Partial<OptionTerms>, v = volatility) => black76({ ...terms, ...change }, v);
			near((at({ forward: forward + step }) - at({ forward: forward - step })) / (2 * step), greeks.delta, 1e-5);
			near((at({}, volatility + 1e-4) - at({}, volatility - 1e-4)) / 2e-4 / forward, greeks.vega / forward, 1e-5);
			const later = years * 1e-4;
			near(
				(at({ years: years - later }) - at({ years: years + later })) / (2 * later * forward),
				greeks.theta / forward,
				1e-4 * Math.max(1, Math.abs(greeks.theta / forward)),
			);
		}),
		{ numRuns: 300, seed: 3 },
	);
});

test("implied volatility inverts the price wherever the price still depends on it", () => {
	fc.assert(
		fc.property(anyTerms, ({ kind, forward, moneyness, years, volatility }) => {
			const terms = { kind, forward, strike: forward * Math.exp(moneyness), years };
			const vega = black76Greeks(terms, volatility).vega / forward;
			if (vega < 1e-4) return;
			near(impliedVolatility(terms, black76(terms, volatility)) ?? Number.NaN, volatility, 1e-9 / vega);
		}),
		{ numRuns: 500, seed: 4 },
	);
});

test("a premium outside the bounds of arbitrage has no volatility", () => {
	const terms: OptionTerms = { kind: "call", forward: 100, strike: 90, years: 0.1 };
	assert.is(impliedVolatility(terms, 10), null, "intrinsic");
	assert.is(impliedVolatility(terms, 9), null, "below intrinsic");
	assert.is(impliedVolatility(terms, 100), null, "the forward itself");
	assert.is(impliedVolatility({ ...terms, kind: "put" }, 90), null, "the strike itself");
	assert.is(impliedVolatility({ ...terms, years: 0 }, 11), null, "no time");
	assert.is(impliedVolatility(terms, Number.NaN), null);
	assert.is(black76({ ...terms, years: 0 }, 0.5), 10);
	assert.equal(black76Greeks({ ...terms, years: 0 }, 0.5), { delta: 1, gamma: 0, vega: 0, theta: 0 });
});

test.run();
