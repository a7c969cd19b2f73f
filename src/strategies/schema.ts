import { z } from "zod";
import { CATALOGUE } from "../catalogue.ts";

const finite = z.number().finite();
const price = finite.positive().nullable();
const percent = finite.min(0).max(100);
const share = finite.min(0).max(1);
const timestamp = z
	.string()
	.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "an ISO timestamp in UTC with milliseconds");
const code = z.string().regex(/^[a-z0-9_]+$/, "a snake_case code");

const catalogueIds = CATALOGUE.map((entry) => entry.id);
const typesById = new Map(CATALOGUE.map((entry) => [entry.id, entry.types]));

const costsSchema = z.object({
	fee_bps: finite.min(0),
	spread_bps: finite.min(0),
	impact_bps: finite.min(0),
	funding_bps: finite,
	total_bps: finite,
});

const evidenceSchema = z.object({
	method: z.string().min(1),
	n: z.int().min(0),
	n_effective: finite.min(0),
	wins: z.int().min(0),
	hit_rate: share.nullable(),
	mean_net_bps: finite.nullable(),
	median_net_bps: finite.nullable(),
	bootstrap_90: z.tuple([finite, finite]).nullable(),
	profit_factor: finite.min(0).nullable(),
	avg_hold_bars: finite.min(0).nullable(),
	first_trade: timestamp.nullable(),
	last_trade: timestamp.nullable(),
	universe_size: z.int().min(0),
	grade: z.enum(["A", "B", "C", "D"]),
	p_placebo: share.nullable(),
	brier: share.nullable(),
	ece: share.nullable(),
});

const dataSourceSchema = z.object({
	kind: z.enum(["live", "recorded", "simulated"]),
	name: z.string().min(1),
	as_of: z.string().nullable(),
});

/** Path of the first member that JSON would lose or that is null; null when all is well. */
function unfit(value: unknown, path: (string | number)[]): { path: (string | number)[]; message: string } | null {
	if (value === null || value === undefined) return { path, message: "metadata holds no null: leave the key out" };
	if (typeof value === "number") return Number.isFinite(value) ? null : { path, message: "a finite number" };
	if (typeof value === "string" || typeof value === "boolean") return null;
	if (typeof value !== "object") return { path, message: `${typeof value} cannot be stored` };
	const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
	for (const [key, member] of members) {
		const found = unfit(member, [...path, key]);
		if (found) return found;
	}
	return null;
}

const rowShape = z.object({
	opportunity_id: z.string().regex(/^[0-9a-f]{12}$/),
	strategy_id: z.enum(catalogueIds as [string, ...string[]]),
	strategy_name: z.string().min(1),
	opportunity_type: code,
	symbol: z.string().trim().min(1),
	exchange: z.string().min(1),
	side: z.enum(["long", "short", "neutral"]),
	profit_potential_usd: finite,
	confidence_score: percent.nullable(),
	confidence_low: percent.nullable(),
	confidence_high: percent.nullable(),
	risk_level: z.enum(["low", "medium", "high", "very_high"]),
	required_capital_usd: finite.min(0),
	estimated_timeframe: z.string().min(1),
	entry_price: price,
	exit_price: price,
	stop_price: price,
	target_price: price,
	risk_reward_ratio: finite.min(0).nullable(),
	costs: costsSchema,
	evidence: evidenceSchema,
	as_of: timestamp,
	data_source: dataSourceSchema,
	discovered_at: timestamp,
	metadata: z.record(z.string(), z.unknown()),
	unproven_reason: code.optional(),
});
type Row = z.infer<typeof rowShape>;
type Complaint = (path: (string | number)[], message: string) => void;

/** Relations between the fields of a row. */
function checkRow(row: Row, complain: Complaint): void {
	const { confidence_low: low, confidence_score: score, confidence_high: high, metadata } = row;
	if (low !== null && score !== null && high !== null && !(low <= score && score <= high)) {
		complain(["confidence_score"], "confidence_low <= confidence_score <= confidence_high");
	}
	if ((low === null) !== (score === null) || (high === null) !== (score === null)) {
		complain(["confidence_score"], "confidence is known with its interval or not at all");
	}
	if (row.target_price !== null && row.exit_price !== null && row.target_price !== row.exit_price) {
		complain(["target_price"], "target_price equals exit_price where both exist");
	}
	if (!typesById.get(row.strategy_id)?.includes(row.opportunity_type)) {
		complain(["opportunity_type"], "a type of the strategy's catalogue entry");
	}
	if (row.evidence.grade === "D") complain(["evidence", "grade"], "grade D never becomes a row");
	const actions = { long: "BUY", short: "SELL", neutral: "NEUTRAL" };
	if (metadata.side !== row.side) complain(["metadata", "side"], "the row's side");
	if (metadata.signal_action !== actions[row.side]) complain(["metadata", "signal_action"], actions[row.side]);
	const size = metadata.position_size_percent;
	const complete =
		row.side !== "neutral" &&
		row.entry_price !== null &&
		row.stop_price !== null &&
		row.target_price !== null &&
		typeof size === "number" &&
		size > 0;
	if (typeof metadata.executable !== "boolean" || (metadata.executable && !complete)) {
		complain(["metadata", "executable"], "true only with side, entry, stop, target and a size above 0");
	}
	const found = unfit(metadata, ["metadata"]);
	if (found) complain(found.path, found.message);
}

/** One row, published or unproven. */
export const opportunitySchema = rowShape.superRefine((row, context) =>
	checkRow(row, (path, message) => context.addIssue({ code: "custom", path, message })),
);

const nearMissSchema = z.object({
	symbol: z.string().min(1),
	reason: code,
	value: finite.nullable(),
	threshold: finite.nullable(),
	distance: finite.nullable(),
});

/** What a strategy hands over (contract.ts `Evaluation`), checked by the effect at the boundary. */
export const evaluationSchema = z
	.object({
		candidate_unit: z.string().min(1),
		evaluated: z.int().min(0),
		published: z.array(opportunitySchema),
		unproven: z.array(opportunitySchema),
		rejected: z.array(
			z.object({
				symbol: z.string().min(1),
				reason: code,
				detail: z.string().optional(),
				cause: z.string().optional(),
			}),
		),
		near_misses: z.array(nearMissSchema).max(3),
		thresholds: z.record(z.string(), finite),
		data_as_of: timestamp.nullable(),
		report: z.record(z.string(), z.unknown()),
	})
	.superRefine((evaluation, context) => {
		const complain: Complaint = (path, message) => context.addIssue({ code: "custom", path, message });
		const { published, unproven, rejected } = evaluation;
		if (evaluation.evaluated !== published.length + unproven.length + rejected.length) {
			complain(["evaluated"], "published + unproven + rejected");
		}
		const ids = [...published, ...unproven].map((row) => row.opportunity_id);
		if (new Set(ids).size !== ids.length) complain(["published"], "opportunity_id is unique");
		published.forEach((row, i) => {
			if (row.evidence.grade === "C") complain(["published", i, "evidence", "grade"], "A or B");
			if (row.confidence_score === null) complain(["published", i, "confidence_score"], "a probability");
			if (row.unproven_reason !== undefined) complain(["published", i, "unproven_reason"], "absent");
		});
		unproven.forEach((row, i) => {
			if (row.unproven_reason === undefined) complain(["unproven", i, "unproven_reason"], "a reason code");
		});
	});
