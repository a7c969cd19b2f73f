import { endedWell } from "../../machines/scan-rules.ts";
import type { StrategyEntry } from "../../machines/types.ts";
import type { ScheduleBase } from "./contract.ts";

/** A complete scan of a schedule, as far as later ones are compared with it. */
export interface EndedScan {
	scan_id: string;
	ended_at_ms: number;
	strategies: readonly Pick<StrategyEntry, "strategy_id" | "verdict">[];
}

/**
 * The scans that the next one is compared with, newest first: the newest, and of every strategy that did not end well
 * in it the newest in which it did, so that an outage is no news and its end neither. A strategy that has never ended
 * well is compared with the first scan in which it was degraded. null: the scan is not newer than those known.
 */
export function withBase(bases: readonly ScheduleBase[], scan: EndedScan): ScheduleBase[] | null {
	const { scan_id, ended_at_ms, strategies } = scan;
	if (bases[0] && bases[0].ended_at_ms >= ended_at_ms) return null;
	const based = new Set(bases.flatMap(({ strategy_ids }) => strategy_ids));
	const own = strategies.filter(
		({ strategy_id, verdict }) => endedWell(verdict) || (verdict === "degraded" && !based.has(strategy_id)),
	);
	const strategy_ids = own.map(({ strategy_id }) => strategy_id);
	// What the schedule no longer runs is compared once more and then forgotten.
	const open = new Set(strategies.map(({ strategy_id }) => strategy_id).filter((id) => !strategy_ids.includes(id)));
	const older = bases
		.map((base) => ({ ...base, strategy_ids: base.strategy_ids.filter((id) => open.has(id)) }))
		.filter((base) => base.strategy_ids.length > 0);
	return [{ scan_id, ended_at_ms, strategy_ids }, ...older];
}
