/** The server's words in plain language. */

export interface WordInfo {
	title: string;
	/** What it means for the reader. */
	meaning: string;
	tone: "good" | "bad" | "warn" | "muted";
}

const VERDICTS: Record<string, WordInfo> = {
	ok_found: { title: "Found something", meaning: "Looked at everything and found opportunities.", tone: "good" },
	ok_empty: { title: "Found nothing", meaning: "Looked at everything; nothing met its conditions.", tone: "muted" },
	degraded: { title: "Partly answered", meaning: "Some markets could not be read; the others count.", tone: "warn" },
	failed: { title: "Failed", meaning: "The strategy could not do its work.", tone: "bad" },
	timed_out: { title: "Ran out of time", meaning: "Its time was over; what it had found is kept.", tone: "warn" },
	skipped: { title: "Not run", meaning: "There was nothing for it to do.", tone: "muted" },
	cancelled: { title: "Cancelled", meaning: "The scan was cancelled before it ended.", tone: "muted" },
	running: { title: "Looking", meaning: "The strategy is at work.", tone: "muted" },
	retrying: { title: "Trying again", meaning: "The first attempt failed; a second one follows.", tone: "warn" },
	pending: { title: "Waiting", meaning: "The strategy has not begun yet.", tone: "muted" },
};

export const verdictWords = (verdict: string | null | undefined): WordInfo =>
	VERDICTS[verdict ?? "pending"] ?? { title: String(verdict), meaning: "", tone: "muted" };

const STATES: Record<string, WordInfo> = {
	queued: { title: "Waiting for a worker", meaning: "", tone: "muted" },
	running: { title: "Running", meaning: "", tone: "muted" },
	complete: { title: "Complete", meaning: "", tone: "good" },
	failed: { title: "Failed", meaning: "", tone: "bad" },
	cancelled: { title: "Cancelled", meaning: "", tone: "warn" },
};

export const stateWords = (state: string | null | undefined): WordInfo =>
	STATES[state ?? ""] ?? { title: String(state ?? "unknown"), meaning: "", tone: "muted" };

const OUTCOMES: Record<string, string> = {
	found: "Opportunities found",
	found_with_gaps: "Opportunities found, with gaps",
	empty: "No opportunities",
	incomplete: "No answer from some strategies",
	nothing_to_scan: "Nothing to scan",
};
export const outcomeWords = (outcome: string | null): string => (outcome ? (OUTCOMES[outcome] ?? outcome) : "–");

/** Steps of a scan in their order, as the trader sees them. */
export const STEPS: readonly { phase: string; title: string }[] = [
	{ phase: "queued", title: "Wait for a worker" },
	{ phase: "portfolio_fetch", title: "Read your portfolio" },
	{ phase: "asset_discovery", title: "Find the markets" },
	{ phase: "strategies_scan", title: "Run the strategies" },
	{ phase: "ranking", title: "Rank what was found" },
];

export const RISK_LEVELS = ["low", "medium", "high", "very_high"] as const;

export const TIERS: readonly { id: string; title: string }[] = [
	{ id: "tier_institutional", title: "from 100 million" },
	{ id: "tier_enterprise", title: "50 to 100 million" },
	{ id: "tier_professional", title: "10 to 50 million" },
	{ id: "tier_retail", title: "1 to 10 million" },
	{ id: "tier_emerging", title: "100,000 to 1 million" },
	{ id: "tier_micro", title: "10,000 to 100,000" },
	{ id: "tier_any", title: "below 10,000" },
];

export const TIMEFRAMES: readonly { id: string; title: string }[] = [
	{ id: "immediate", title: "now" },
	{ id: "1-59m", title: "minutes" },
	{ id: "1-24h", title: "hours" },
	{ id: "1-7d", title: "days" },
	{ id: "1-4w", title: "weeks" },
	{ id: "1-12mo", title: "months" },
];

const SIDES: Record<string, string> = { long: "Buy", short: "Sell short", neutral: "Neutral" };
export const sideWords = (side: unknown): string => SIDES[String(side)] ?? String(side);

const FILTER_NAMES: Record<string, string> = {
	symbols: "Symbols",
	asset_tiers: "Trading volume",
	strategy_ids: "Strategies",
	filter_by_risk_level: "Risk",
	min_profit_potential: "Least profit, USD",
	max_required_capital: "Most capital, USD",
	preferred_timeframes: "Holding time",
	opportunity_type: "Type",
};

/** Filters as pairs of name and words; empty: no filter. */
export function filterWords(filters: Record<string, unknown>, nameOf: (id: string) => string = (id) => id): string[] {
	return Object.entries(filters).map(([name, value]) => {
		const list = (Array.isArray(value) ? value : [value]).map((word) => {
			const text = String(word);
			if (name === "strategy_ids") return nameOf(text);
			if (name === "asset_tiers") return TIERS.find(({ id }) => id === text)?.title ?? text;
			return text.replaceAll("_", " ");
		});
		return `${FILTER_NAMES[name] ?? name}: ${list.join(", ")}`;
	});
}
