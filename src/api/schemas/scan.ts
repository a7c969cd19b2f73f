import { z } from "zod";
import { PHASES, SCAN_ERROR_CODES, VERDICTS } from "../../../machines/types.ts";

/** Schemas of starting, polling and cancelling a scan. */

export const WAIT_SECONDS_MAX = 30;

export const timestamp = z.iso.datetime({ precision: 3 }).describe("ISO-8601 UTC with milliseconds");
export const scanId = z.string().regex(/^scan_[0-9a-f]{32}$/);
export const count = z.int().min(0);

/** The path parameter: an id of the wrong form is unknown (404), never invalid. */
export const scanParams = z.object({
	scan_id: z.string().describe("Id of the scan, or `latest` where the endpoint says so"),
});

export const waitQuery = z.object({
	wait: z.coerce
		.number({ error: `must be a number of seconds from 0 to ${WAIT_SECONDS_MAX}` })
		.min(0)
		.max(WAIT_SECONDS_MAX)
		.optional()
		.describe("Seconds to wait for news before answering"),
});

/** true/false, 1/0, "true"/"false": what older clients send for a boolean. */
export const lenientBoolean = z
	.union([z.boolean(), z.literal(1), z.literal(0), z.enum(["true", "false"])], { error: "must be true or false" })
	.transform((word) => word === true || word === 1 || word === "true");

const listFilter = (meaning: string) =>
	z.unknown().optional().describe(`${meaning}; a list or a comma-separated string`);

/**
 * The start request. Filters are checked by their own parser, which knows the words and their
 * spellings; here they are only described. Unknown keys are ignored.
 */
export const discoverBody = z.looseObject({
	force_refresh: lenientBoolean
		.default(false)
		.describe("Do not reuse a recent result; supersede an older running scan"),
	include_strategy_recommendations: lenientBoolean.default(true),
	symbols: listFilter("Bases (`BTC`) or unified symbols (`BTC/USDT`)"),
	asset_tiers: listFilter("Volume tiers, e.g. `tier_institutional`"),
	strategy_ids: listFilter("Strategies by id or display name"),
	filter_by_risk_level: listFilter("low, medium, high, very_high"),
	min_profit_potential: z.unknown().optional().describe("Rows with at least this expected net profit, USD"),
	max_required_capital: z.unknown().optional().describe("Rows that need at most this capital, USD"),
	preferred_timeframes: listFilter("`5m`, `4h`, `1d`, `1w`, `1mo`, `immediate` or a range `4-24h`"),
	opportunity_type: listFilter("Types of opportunities"),
	strategy_types: listFilter("Older name of opportunity_type; both are merged"),
});

/** Entries as clients write them: a list or a comma-separated string, trimmed, blanks and repetitions dropped. */
const wordList = z
	.union([z.string(), z.array(z.union([z.string(), z.number(), z.null()]))], {
		error: "must be a list or a comma-separated string",
	})
	.transform((given) => {
		const words = (typeof given === "string" ? given.split(",") : given.map((word) => String(word ?? ""))).map((word) =>
			word.trim(),
		);
		return [...new Map(words.filter((word) => word !== "").map((word) => [word.toLowerCase(), word])).values()];
	});

export const redriveBody = z.looseObject({
	strategy_ids: wordList
		.optional()
		.describe("Strategies of the scan to run again; absent: those failed, timed out, degraded or cancelled"),
});

/** Longest reason in characters; it is kept in the scan's journal. */
const REASON_TEXT_MAX = 500;

export const cancelBody = z.looseObject({
	reason_text: z
		.string()
		.trim()
		.max(REASON_TEXT_MAX)
		.regex(/^(?:[\n\r\t]|[^\p{Cc}])*$/u, "must hold no control characters")
		.nullish()
		.describe("Why, in your words; owner and admins find it in the scan's journal"),
});

const verdictCounts = z.object({
	...Object.fromEntries(VERDICTS.map((verdict) => [verdict, count])),
	running: count,
	pending: count,
} as Record<(typeof VERDICTS)[number] | "running" | "pending", typeof count>);

export const progress = z.object({
	strategies_completed: count,
	total_strategies: count,
	opportunities_found_so_far: count,
	percentage: z.int().min(0).max(100),
	verdicts: verdictCounts,
});

export const filters = z.object({
	symbols: z.array(z.string()).optional(),
	asset_tiers: z.array(z.string()).optional(),
	strategy_ids: z.array(z.string()).optional(),
	filter_by_risk_level: z.array(z.string()).optional(),
	min_profit_potential: z.number().optional(),
	max_required_capital: z.number().optional(),
	preferred_timeframes: z.array(z.string()).optional(),
	opportunity_type: z.array(z.string()).optional(),
});

export const outcome = z.enum(["found", "found_with_gaps", "empty", "incomplete", "nothing_to_scan"]).nullable();
export const cancelReason = z.enum(["user_request", "admin_request", "superseded"]).nullable();
export const position = z.enum(["queued", ...PHASES]);
export const scanError = z.object({
	code: z.enum(SCAN_ERROR_CODES),
	message: z.string(),
	phase: position,
});

export const dataSource = z.object({
	kind: z.enum(["live", "recorded", "simulated"]),
	name: z.string(),
	as_of: timestamp.nullable(),
});

const price = z.number().nullable();
const share = z.number().nullable();
const score = z.number().min(0).max(100);

/** The members of a row that published and unproven ones have alike. */
const rowShape = {
	opportunity_id: z.string().min(1),
	strategy_id: z.string().min(1),
	strategy_name: z.string().min(1),
	opportunity_type: z.string().min(1),
	symbol: z.string().min(1),
	exchange: z.string().min(1),
	side: z.enum(["long", "short", "neutral"]),
	profit_potential_usd: z.number(),
	risk_level: z.enum(["low", "medium", "high", "very_high"]),
	required_capital_usd: z.number(),
	estimated_timeframe: z.string().min(1),
	entry_price: price,
	exit_price: price,
	stop_price: price,
	target_price: price,
	risk_reward_ratio: z.number().nullable(),
	costs: z.object({
		fee_bps: z.number(),
		spread_bps: z.number(),
		impact_bps: z.number(),
		funding_bps: z.number(),
		total_bps: z.number(),
	}),
	evidence: z.object({
		method: z.string(),
		n: count,
		n_effective: z.number(),
		wins: z.number(),
		hit_rate: share,
		mean_net_bps: share,
		median_net_bps: share,
		bootstrap_90: z.tuple([z.number(), z.number()]).nullable(),
		profit_factor: share,
		avg_hold_bars: share,
		first_trade: z.string().nullable(),
		last_trade: z.string().nullable(),
		universe_size: count,
		grade: z.enum(["A", "B", "C", "D"]),
		p_placebo: share,
		brier: share,
		ece: share,
	}),
	as_of: timestamp,
	data_source: dataSource,
	discovered_at: timestamp,
	metadata: z.record(z.string(), z.unknown()),
};

export const opportunity = z.object({
	...rowShape,
	confidence_score: score,
	confidence_low: score,
	confidence_high: score,
});

export const unprovenRow = z.object({
	...rowShape,
	confidence_score: score.nullable(),
	confidence_low: score.nullable(),
	confidence_high: score.nullable(),
	unproven_reason: z.string().min(1),
});

export const statusReply = z.object({
	success: z.boolean(),
	scan_id: scanId,
	status: z.enum(["scanning", "complete", "failed"]),
	state: z.enum(["queued", "running", "complete", "failed", "cancelled"]),
	reason: cancelReason,
	superseded_by: scanId.nullable(),
	message: z.string().min(1),
	outcome,
	phase: position,
	progress,
	partial_results: z.array(opportunity).max(10),
	total_opportunities: count,
	estimated_time_remaining_seconds: count,
	results_url: z.string(),
	filters,
	error: scanError.nullable(),
	from_cache: z.literal(false),
	accepted_at: timestamp,
	started_at: timestamp.nullable(),
	updated_at: timestamp,
	completed_at: timestamp.nullable(),
	deadline_at: timestamp,
	revision: z.int().min(1),
});

export const cancelReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	status: z.literal("failed"),
	state: z.literal("cancelled"),
	reason: z.string(),
	cancelled_at: timestamp,
	progress,
});
