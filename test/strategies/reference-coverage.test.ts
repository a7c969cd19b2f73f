import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";

/**
 * Every quantity of every published reference file, with the test that compares it, or why nothing here computes
 * it. A quantity that a file gains, or a test that goes, fails.
 */
const test = suite("coverage of the reference numbers");

const NOT = "not computed: ";
const DATA = "data: ";
const INDICATORS = "indicators-published";
const UNUSED_INDICATOR = `${NOT}no rule reads it`;

const each = (names: string, where: string): Record<string, string> =>
	Object.fromEntries(names.split(" ").map((name) => [name, where]));

const TABLE: Record<string, Record<string, string>> = {
	"adf_engle_granger.json": {
		...each(
			"adf_cases engle_granger_cases coint_realcons_realgdp mackinnonp_checks mackinnoncrit_checks",
			"statistics",
		),
		mackinnon: `${DATA}the tables themselves; what follows from them is compared by mackinnonp_checks`,
		kpss: `${NOT}stationarity is tested by Dickey-Fuller alone`,
		data: `${DATA}the series of the cases`,
		formulas: `${DATA}text`,
	},
	"avellaneda_stoikov.json": {
		...each("cases average_spread_over_session", "market-making-quotes"),
		...each("formulas invariants units", `${DATA}text; the invariants are tested beside the cases`),
	},
	"black_scholes.json": {
		...each("values greeks hull deribit", "options-pricing"),
		...each("conventions iv_inversion parity", `${DATA}text; both are tested beside the values`),
	},
	"calibration.json": {
		...each("wilson brier beta_binomial", "evidence"),
		...each("isotonic_pav deflated_sharpe", "selection"),
		...each("wilson_source bootstrap", `${DATA}text`),
	},
	"funding_apr.json": {
		...each("rates apr breakeven fees_assumed", "funding-rates"),
		formula: `${DATA}text`,
	},
	"half_life_ou.json": { ...each("analytic ar1 random_walk", "statistics"), generator: `${DATA}text` },
	"indicators_tulip.json": {
		...each("sma ema rsi tr atr stddev var bbands max min linreg linregslope", "indicators-tulip"),
		...each("ad adosc adx adxr aroon cci cmo dema di dm dx macd mass mfi obv psar stoch tema trix", UNUSED_INDICATOR),
		...each("ultosc willr wma hma kama mom roc stderr stochrsi vwma", UNUSED_INDICATOR),
		natr: `${NOT}the share of the range in the close is compared with Skender's atrp`,
		wilders: `${NOT}only inside range and RSI, both compared`,
		volatility: `${NOT}of simple returns; that of log returns is compared with TTR's vol_close`,
	},
	"kelly_sizing.json": { ...each("cases turtle", "machinery") },
	"portfolio.json": {
		...each("pypfopt sample_cov_dummy four_asset erc_maillard", "portfolio-methods"),
		...each("data erc_two_asset", `${DATA}text; two assets are tested beside the others`),
	},
	"pypfopt_stock_prices.csv.gz": { prices: "portfolio-methods" },
	"real_data_goldens.json": {
		btc_1d_last400: "risk-measures",
		...each("eth_btc_500d pairs_snapshot", "pairs-snapshot"),
		denmark_johansen: `${NOT}cointegration is tested by Engle and Granger alone`,
		pairs_snapshot_def: `${DATA}text`,
	},
	"ttr_btcusdt_1d.csv": {
		...each("sma20 ema20 rsi14 atr14 bbup", "indicators"),
		...each("close bbdn bbpct dchi dclo", INDICATORS),
		...each("vol_close vol_park vol_gk vol_rs vol_yz", "range-volatility"),
		open_time: `${DATA}time`,
		...each("macd macdsig adx14 dip din cci20 willr mfi14 obv stochK stochD cmf20 aroonUp", UNUSED_INDICATOR),
	},
	"skender/sma.json": { sma: "indicators" },
	"skender/ema.json": { ema: "indicators" },
	"skender/rsi.json": { rsi: "indicators" },
	"skender/tr.json": { tr: "indicators" },
	"skender/atr.json": { atr: "indicators", atrp: INDICATORS, tr: "indicators" },
	"skender/bb.json": { zScore: "indicators", ...each("lowerBand percentB sma upperBand width", INDICATORS) },
	"skender/donchian.json": { ...each("lowerBand upperBand", "indicators"), ...each("centerline width", INDICATORS) },
	"skender/keltner.json": each("centerline lowerBand upperBand width", INDICATORS),
	"skender/hurst.json": each("hurstExponent hurstExponentAL", "indicators"),
	"skender/slope.json": {
		...each("intercept rSquared slope stdDev", INDICATORS),
		line: `${NOT}intercept and slope say it`,
	},
	"skender/stdev.json": each("mean stdDev zScore", INDICATORS),
	"skender/corr.json": each("correlation covariance rSquared varianceA varianceB", INDICATORS),
	"skender/macd.json": {
		...each("fastEma slowEma", INDICATORS),
		...each("histogram macd signal", UNUSED_INDICATOR),
	},
	"skender/adx.json": each("adx adxr dx mdi pdi", UNUSED_INDICATOR),
	"skender/stoch.json": each("d j k oscillator percentJ signal", UNUSED_INDICATOR),
	"skender/obv.json": { obv: UNUSED_INDICATOR },
	"skender/mfi.json": { mfi: UNUSED_INDICATOR },
	"skender/cmf.json": each("cmf moneyFlowMultiplier moneyFlowVolume", UNUSED_INDICATOR),
	"skender/chop.json": { chop: UNUSED_INDICATOR },
	"skender/quotes_default.csv": { bars: "indicators" },
	"skender/quotes_compare.csv": { bars: INDICATORS },
	"skender/quotes_bitcoin_1d.csv": { bars: `${NOT}no published series belongs to it` },
	"skender/INDEX.json": { index: `${DATA}the last values of the other files` },
};

/** Keys that tell where numbers come from. */
const ABOUT = new Set(["source", "licence", "conventions", "tolerance", "verified_here", "indicator"]);

function quantitiesOf(root: string, file: string): string[] {
	if (/^skender\/(?:quotes_|INDEX)|\.gz$/.test(file)) return Object.keys(TABLE[file] ?? { unlisted: "" });
	const text = readFileSync(join(root, file), "utf8");
	if (file.endsWith(".csv")) return (text.split("\n")[0] ?? "").trim().split(",");
	const parsed = JSON.parse(text) as Record<string, unknown>;
	if (file === "indicators_tulip.json") {
		return [...new Set((parsed.cases as { name: string }[]).map(({ name }) => name))];
	}
	const columns = file.startsWith("skender/") ? (parsed.columns as Record<string, unknown>) : parsed;
	return Object.keys(columns).filter((key) => file.startsWith("skender/") || !isAbout(file, key));
}

const isAbout = (file: string, key: string): boolean =>
	ABOUT.has(key) && !(key === "conventions" && TABLE[file]?.conventions !== undefined);

if (!sharedRoot) skipAloud("list of the reference numbers");
else {
	const root = join(sharedRoot, "reference");

	test("every file and every quantity of it is listed, and nothing else", () => {
		const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
			/\.(?:json|csv|gz)$/.test(file),
		);
		assert.equal(Object.keys(TABLE).sort(), files.sort());
		for (const file of files)
			assert.equal(Object.keys(TABLE[file] ?? {}).sort(), quantitiesOf(root, file).sort(), file);
	});

	test("each test that is named is there, reads the file and speaks of the quantity", () => {
		for (const [file, quantities] of Object.entries(TABLE)) {
			for (const [quantity, where] of Object.entries(quantities)) {
				if (where.startsWith(NOT) || where.startsWith(DATA)) {
					assert.ok(where.split(": ")[1], `${file} ${quantity}: why?`);
					continue;
				}
				const path = new URL(`./${where}.test.ts`, import.meta.url);
				assert.ok(existsSync(path), `${file} ${quantity}: no test ${where}`);
				const text = readFileSync(path, "utf8");
				const [name = ""] = file.replace("skender/", "").split(".");
				assert.ok(text.includes(name), `${where} does not read ${file}`);
				if (!/\.(?:gz)$|quotes_/.test(file))
					assert.ok(text.includes(quantity), `${where} does not know ${file} ${quantity}`);
			}
		}
	});
}

test.run();
