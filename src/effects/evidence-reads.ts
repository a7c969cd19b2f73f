import type { Market, MarketData, ReadOptions } from "../market/contract.ts";
import type { DataNeeds } from "../strategies/contract.ts";
import { orAbsent } from "./absence.ts";
import { evidenceMarkets, LIVE_EVIDENCE_MARKETS_MAX, perpsOfSeveralVenues, readOf } from "./candidates.ts";
import { inTurns } from "./in-turns.ts";
import type { Guard, Reads } from "./market-reads.ts";

type Evidence = NonNullable<DataNeeds["evidence"]>;

/** The histories on which a strategy's evidence rests, and the funding of several venues where it compares them. */
export async function readEvidence(
	market: MarketData,
	{ evidence, rival_venues }: DataNeeds,
	read: ReadOptions,
	got: Reads,
	guard: Guard,
	listMarkets: () => Promise<Market[]>,
): Promise<void> {
	if (!evidence) return;
	const listed = await listMarkets();
	const later = { ...read, later: true };
	const rivals = rival_venues ? perpsOfSeveralVenues(listed) : [];
	const begun = inTurns();
	const paced: Guard = (name, work) => begun(() => guard(name, work));
	await Promise.all([
		readHistories(market, evidence, listed, later, got, paced),
		...rivals.map((of) =>
			paced(`${of.symbol}@${of.venue}`, async () => {
				const funding = await orAbsent(market.funding(of.symbol, readOf(of, listed, later)));
				return () => {
					if (funding) got.evidence.venue_funding.push({ base: of.base, funding });
				};
			}),
		),
	]);
}

/**
 * Every history of the source; of a live one, which lists far more markets, those of highest volume that are long
 * enough. Markets that turn out too young give their places to the next ones; a failed read keeps its place, so that
 * an outage does not become a walk through all markets, and so does a source without any such history.
 */
async function readHistories(
	market: MarketData,
	evidence: Evidence,
	listed: readonly Market[],
	read: ReadOptions,
	got: Reads,
	guard: Guard,
): Promise<void> {
	const wanted = evidenceMarkets(listed, evidence.market);
	const places = market.source.kind === "live" ? LIVE_EVIDENCE_MARKETS_MAX : wanted.length;
	let lacking = 0;
	for (let next = 0; next < Math.min(wanted.length, places + lacking) && (next === 0 || lacking < next); ) {
		const round = wanted.slice(next, places + lacking);
		next += round.length;
		await Promise.all(
			round.map((of) =>
				guard(of.symbol, async () => {
					const keep = await readHistory(market, evidence, of, readOf(of, listed, read), got);
					if (keep === null) lacking += 1;
					return keep ?? (() => undefined);
				}),
			),
		);
	}
}

/** null: the market's history is too short. */
async function readHistory(
	market: MarketData,
	evidence: Evidence,
	of: Market,
	read: ReadOptions,
	got: Reads,
): Promise<(() => void) | null> {
	const series = await orAbsent(market.candles(of.symbol, evidence.timeframe, read));
	if (series === null || series.length < evidence.bars_min) return null;
	const funding = evidence.funding ? await orAbsent(market.funding(of.symbol, read)) : null;
	return () => {
		got.evidence.series.push(series);
		got.markets[of.symbol] ??= of;
		if (funding) got.evidence.funding.push(funding);
	};
}
