import { at, last } from "./columns.ts";
import type { MarketView } from "./contract.ts";
import { PERP_REPLAY_COST } from "./costs.ts";
import type { Signal } from "./directional.ts";
import { type ContractTerms, grossBps, type Trade } from "./directional-row.ts";
import { type Forecast, fundingEvidence } from "./funding-evidence.ts";
import { STALE_HOURS } from "./funding-gates.ts";
import { E8, HOUR_MS, PAST_UNITS, pastWindow } from "./funding-rates.ts";
import { HORIZON_DAYS } from "./funding-samples.ts";
import { chooseLeverage, LIQUIDATION_STOPS_MIN } from "./liquidation.ts";
import type { Refusal } from "./quality.ts";

/** Funding against the trade may eat this share of the expected gross gain. */
export const FUNDING_SHARE_MAX = 0.25;
/** Settlement units of 8 hours in a day. */
const UNITS_PER_DAY = 3;
const DAY_MS = 24 * HOUR_MS;

/** Funding, leverage and open interest of a directional trade on a perpetual contract. */
export function perpTerms(view: MarketView): ContractTerms {
	let fit: Forecast | null | undefined;
	const forecast = () => {
		if (fit === undefined) fit = fundingEvidence(view).forecast;
		return fit;
	};
	return {
		funding: (signal) => fundingOf(signal, view, forecast),
		margin,
		context: (signal) => interestOf(signal, view),
		newestMs: ({ candidate: { symbol } }) => {
			const settled = view.funding[symbol];
			const settledMs = settled && settled.length > 0 ? last(settled.funding_time) : 0;
			return Math.max(settledMs, view.open_interest?.[symbol]?.now.at_ms ?? 0);
		},
	};
}

/**
 * Expected funding over the measured holding time: the 3-day mean carried forward by the fit over the
 * evidence universe, times the days a trade of the record lasts. Longs pay positive rates. The fit
 * looks seven days ahead: what is to be paid is charged for the whole time, what is to be received is
 * counted for those seven days only.
 */
function fundingOf(
	{ candidate, reading, setup, evidence }: Signal,
	view: MarketView,
	forecast: () => Forecast | null,
): { paid: number; extra: Record<string, unknown> } | Refusal {
	const settled = view.funding[candidate.symbol];
	if (!settled || settled.length === 0)
		return { reason: "insufficient_history", detail: "the source records no funding" };
	const ageHours = (view.as_of_ms - last(settled.funding_time)) / HOUR_MS;
	if (ageHours > STALE_HOURS) {
		return { reason: "stale_data", detail: `the last settlement was ${ageHours.toFixed(1)} hours ago` };
	}
	const past = pastWindow(settled, view.as_of_ms).sumE8 / PAST_UNITS / E8;
	const fit = forecast();
	const forward = fit ? fit.a + fit.b * past : past;
	const figures = evidence.measurement.evidence;
	const meanHold = figures.avg_hold_bars ?? setup.rule.horizonBars;
	const holdDays = reading.side * forward > 0 ? meanHold : Math.min(meanHold, HORIZON_DAYS);
	const paid = reading.side * forward * UNITS_PER_DAY * holdDays;
	if (figures.mean_net_bps !== null) {
		const grossMean = grossBps(figures.mean_net_bps, PERP_REPLAY_COST, evidence.meanFunding);
		if (paid > 0 && paid * 10_000 > FUNDING_SHARE_MAX * grossMean) {
			const detail = `${(paid * 10_000).toFixed(1)} bp of funding against an expected gross gain of ${grossMean.toFixed(1)} bp`;
			return { reason: "funding_against", detail };
		}
	}
	return {
		paid,
		extra: {
			funding_mean_bps_per_8h: past * 10_000,
			funding_forecast_bps_per_8h: forward * 10_000,
			funding_forecast_from: fit ? "pooled fit" : "its own 3-day mean",
			funding_expected_bps: paid * 10_000,
			funding_days: holdDays,
		},
	};
}

/** Profit is never multiplied by leverage: it only changes the margin, which keeps the costs as a buffer. */
function margin({
	side,
	entry,
	stop,
	notionalUsd,
	costs,
}: Trade): { leverage: number; requiredUsd: number; extra: Record<string, unknown> } | Refusal {
	const choice = chooseLeverage({ side, entry, stop, notional: notionalUsd });
	if (!choice) {
		const stopPercent = (100 * Math.abs(entry - stop)) / entry;
		const detail = `liquidation lies nearer than ${LIQUIDATION_STOPS_MIN} stop distances of ${stopPercent.toFixed(1)} % even without leverage`;
		return { reason: "leverage_limit", detail };
	}
	const { leverage, liquidation, tier } = choice;
	const marginUsd = notionalUsd / leverage;
	const bufferUsd = (notionalUsd * Math.max(0, costs.total_bps)) / 10_000;
	return {
		leverage,
		requiredUsd: marginUsd + bufferUsd,
		extra: {
			leverage,
			margin_mode: "isolated",
			liquidation_price: liquidation,
			liquidation_distance_percent: liquidation === null ? null : (100 * Math.abs(liquidation - entry)) / entry,
			maintenance_margin_rate: tier.mmr,
			maintenance_amount_usd: tier.cum,
			// No source here gives its leverage table.
			maintenance_margin_from: "cautious table of a small contract",
			required_margin_usd: marginUsd,
			margin_buffer_usd: bufferUsd,
		},
	};
}

/**
 * Three days of open interest beside the price, as context: a move that new contracts join confirms the
 * trade. Counted in base units where both ends state them, because the value moves with the price.
 */
function interestOf({ candidate, series, reading }: Signal, view: MarketView): Record<string, unknown> {
	const interest = view.open_interest?.[candidate.symbol];
	if (!interest) return {};
	const { now, before } = interest;
	const inBase = now.quantity_base !== null && before.quantity_base !== null;
	const interestChange = inBase
		? (now.quantity_base ?? 0) / (before.quantity_base ?? 0) - 1
		: now.value_usd / before.value_usd - 1;
	const days = Math.round((now.at_ms - before.at_ms) / DAY_MS);
	const priceChange = last(series.close) / at(series.close, series.length - 1 - days) - 1;
	if (!Number.isFinite(interestChange) || !Number.isFinite(priceChange)) return {};
	return {
		open_interest_usd: now.value_usd,
		open_interest_at: new Date(now.at_ms).toISOString(),
		open_interest_change_percent: 100 * interestChange,
		open_interest_days: days,
		price_change_percent: 100 * priceChange,
		open_interest_confirms: interestChange > 0 && reading.side * priceChange > 0,
	};
}
