import { tierOfVolume } from "../catalogue.ts";
import type { Clock } from "../clock.ts";
import { isDollarQuote } from "../dollars.ts";
import { abortable, onAbort } from "./abortable.ts";
import type { Asset, Market, MarketData, StaleNote, Universe } from "./contract.ts";
import { MarketError, TIMEFRAME_MS } from "./contract.ts";
import { STALE_AFTER_STEPS } from "./quality.ts";

/** One venue may take this long; the others do not wait for it. */
export const SOURCE_TIMEOUT_MS = 15_000;
/** A market whose newest datum is older is not traded now: two steps of the coarsest bars. */
export const DATA_AGE_MAX_MS = STALE_AFTER_STEPS * TIMEFRAME_MS["1d"];
/** Data of now are newer than the scan's instant by what it waited and took; by more than this no clock that is right. */
export const DATA_AHEAD_MAX_MS = 2 * TIMEFRAME_MS["1h"];

export interface DiscoveryOptions {
	signal: AbortSignal;
	/** The pinned instant on the source's clock. */
	asOfMs: number;
	/** When the asker began, see ReadOptions. */
	begunMs?: number;
	perSourceTimeoutMs?: number;
	/** For the deadlines; never for what the market knows. */
	clock: Clock;
}

/** `error`: why the markets, if any, are not those of now. */
type Answer = { venue: string } & (
	| { ok: true; markets: Market[]; error: null }
	| { ok: false; markets: Market[] | null; error: MarketError }
);

/**
 * The universe of a scan: every base with current dollar markets, its volume summed over dollar quotes
 * and venues, and every base left out counted under one reason: stablecoin,
 * leveraged, pegged_or_wrapped, no_usd_quote, stale_data, no_volume.
 *
 * All venues are asked at once, each with its own deadline; one that fails is reported in `sources`, also when its last
 * good markets stand in. Throws MarketError when all fail and none has any, the signal's reason when it aborts.
 */
export async function discoverUniverse(market: MarketData, options: DiscoveryOptions): Promise<Universe> {
	options.signal.throwIfAborted();
	const answers = (await Promise.all(market.venues().map((venue) => ask(market, venue, options)))).map((answer) =>
		market.source.kind === "live" ? currentOnly(answer) : answer,
	);
	options.signal.throwIfAborted();
	if (answers.every(({ markets }) => markets === null))
		throw allFailed(answers.flatMap(({ error }) => (error ? [error] : [])));
	const found = answers.flatMap(({ markets }) => markets ?? []);
	const { assets, excluded } = assetsOf(found);
	const sources = answers.map((answer) => ({
		name: answer.venue,
		ok: answer.ok,
		error: answer.error === null ? null : `${answer.error.code}: ${answer.error.message}`,
		assets: assets.filter((asset) => asset.markets.some((entry) => entry.venue === answer.venue)).length,
	}));
	return { as_of_ms: options.asOfMs, assets, excluded, sources };
}

async function ask(market: MarketData, venue: string, options: DiscoveryOptions): Promise<Answer> {
	const timeoutMs = options.perSourceTimeoutMs ?? SOURCE_TIMEOUT_MS;
	const own = new AbortController();
	const late = () => own.abort(new MarketError("timeout", `${venue} did not answer within ${timeoutMs} ms`, true));
	const timer = options.clock.setTimeout(late, timeoutMs);
	const forget = onAbort(options.signal, () => own.abort(options.signal.reason));
	try {
		// A source that ignores its signal must not hold the others up either.
		let stale: StaleNote | null = null;
		const onStale = (note: StaleNote) => {
			stale = note;
		};
		const begun = options.begunMs === undefined ? {} : { begun_ms: options.begunMs };
		const reading = market.markets(venue, { signal: own.signal, as_of_ms: options.asOfMs, ...begun, onStale });
		const markets = await abortable(reading, own.signal);
		return stale === null ? { venue, ok: true, markets, error: null } : lastGood(venue, markets, stale);
	} catch (error) {
		const known = error instanceof MarketError ? error : null;
		const failure = known ?? new MarketError("fetch_failed", `${venue} failed unexpectedly`, true);
		return { venue, ok: false, markets: null, error: failure };
	} finally {
		options.clock.clearTimeout(timer);
		forget();
	}
}

/**
 * A live exchange of whose markets none is current shows the past, whatever is wrong: it did not answer about now. Data
 * that are newer than its clock by hours show that the clock is behind, and with it the instant of the scan.
 */
function currentOnly(answer: Answer): Answer {
	if (!answer.ok) return answer;
	const ages = answer.markets.flatMap(({ data_age_ms }) => data_age_ms ?? []).sort((a, b) => a - b);
	if (ages.length === 0) return answer;
	const current = ages.filter((ageMs) => ageMs <= DATA_AGE_MAX_MS);
	// Of most: a single datum may be of any time.
	const usual = current[current.length >> 1];
	if (usual !== undefined && usual >= -DATA_AHEAD_MAX_MS) return answer;
	const hours = Math.round(Math.abs(usual ?? (ages[0] as number)) / 3_600_000);
	const text =
		usual === undefined
			? `all data of ${answer.venue} are old, the newest of ${hours} hours ago`
			: `the data of ${answer.venue} are newer than its clock, most by ${hours} hours`;
	return { venue: answer.venue, ok: false, markets: null, error: new MarketError("fetch_failed", text, true) };
}

const lastGood = (venue: string, markets: Market[], { error, age_ms }: StaleNote): Answer => {
	const text = `${error}; the last good markets, of ${Math.round(age_ms / 1000)} s ago, stand in`;
	return { venue, ok: false, markets, error: new MarketError("fetch_failed", text, true) };
};

function allFailed(errors: readonly MarketError[]): MarketError {
	if (errors.length === 0) return new MarketError("not_supported", "the market has no venue", false);
	const code = errors.every((error) => error.code === "timeout") ? "timeout" : "fetch_failed";
	const text = errors.map((error) => error.message).join("; ");
	return new MarketError(
		code,
		`no source answered: ${text}`,
		errors.some((error) => error.retryable),
	);
}

function assetsOf(markets: readonly Market[]): { assets: Asset[]; excluded: Record<string, number> } {
	const byBase = new Map<string, Market[]>();
	for (const market of markets) {
		const own = byBase.get(market.base);
		if (own) own.push(market);
		else byBase.set(market.base, [market]);
	}
	const assets: Asset[] = [];
	const excluded: Record<string, number> = {};
	for (const [base, own] of byBase) {
		const verdict = assetOf(base, own);
		if (typeof verdict === "string") excluded[verdict] = (excluded[verdict] ?? 0) + 1;
		else assets.push(verdict);
	}
	assets.sort((a, b) => b.volume_usd_24h - a.volume_usd_24h || byCodePoint(a.base, b.base));
	return { assets, excluded };
}

/** The asset of a base, or the first reason why there is none. */
function assetOf(base: string, markets: readonly Market[]): Asset | string {
	const tags = new Set(markets.flatMap((market) => market.tags));
	if (tags.has("stablecoin")) return "stablecoin";
	if (tags.has("leveraged")) return "leveraged";
	if (tags.has("pegged") || tags.has("wrapped")) return "pegged_or_wrapped";
	const dollar = markets.filter((market) => isDollarQuote(market.quote));
	if (dollar.length === 0) return "no_usd_quote";
	// An unknown age is no proof of staleness; without a volume such a market counts for nothing anyway.
	const current = dollar.filter((market) => market.data_age_ms === null || market.data_age_ms <= DATA_AGE_MAX_MS);
	if (current.length === 0) return "stale_data";
	const volume = current.reduce((sum, market) => sum + (market.volume_usd_24h ?? 0), 0);
	if (!(volume > 0)) return "no_volume";
	const ranked = [...current].sort(
		(a, b) =>
			(b.volume_usd_24h ?? -1) - (a.volume_usd_24h ?? -1) ||
			byCodePoint(a.symbol, b.symbol) ||
			byCodePoint(a.venue, b.venue),
	);
	return { base, tier: tierOfVolume(volume), volume_usd_24h: volume, markets: ranked };
}

/** UTF-8 bytes order as code points do; UTF-16 units do not. */
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
