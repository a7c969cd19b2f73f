import { MISSING_SHARE_MAX, STALE_STEPS_MAX, ZERO_VOLUME_SHARE_MAX } from "../quality.ts";
import type { Gate } from "./contract.ts";

const percent = (share: number): string => `${100 * share} %`;

export const READ: Gate = { reason: "fetch_failed", asks: "its data could be read" };

/** Gates of a series of closed bars, whatever is done with it; `bars` names the threshold of the least length. */
export const seriesGates = (bars?: string): Gate[] => [
	READ,
	{ reason: "stale_data", asks: `the newest bar closed at most ${STALE_STEPS_MAX} steps ago` },
	{ reason: "gaps", asks: `at most ${percent(MISSING_SHARE_MAX)} of the bars looked at are missing` },
	{
		reason: "insufficient_history",
		asks: "the source has bars, and enough of them",
		...(bars === undefined ? {} : { thresholds: [bars] }),
	},
	{
		reason: "illiquid",
		asks: `at most ${percent(ZERO_VOLUME_SHARE_MAX)} of the bars are without volume, and not the newest`,
	},
	{ reason: "pegged_or_wrapped", asks: "its price is not tied to another asset's" },
];

/** What every sized trade must come through, after its signal. */
export const MONEY_GATES: readonly Gate[] = [
	{
		reason: "negative_expectancy",
		asks: "the record's mean net is above 0 (grade D otherwise), and its odds leave a stake",
	},
	{
		reason: "capital_below_min_notional",
		asks: "the size that risk, volume and capital allow reaches the least order",
	},
	{
		reason: "cost_exceeds_edge",
		asks: "with this trade's own costs in place of the record's, the expected net is above 0",
	},
];

/** Not a matter of the candidate: more rows passed than a scan lists. */
export const LISTED: Gate = { reason: "rank_limit", asks: "it is among the best rows, up to the scan's limit" };

/** The last question: not a rejection, a row with this reason is listed apart. */
export const PROVEN: Gate = {
	reason: "insufficient_evidence",
	asks: "the record is graded A or B; grade C is listed as unproven, not rejected",
};
