import { compareRanks, netPerRisk, type RowRank } from "../row-order.ts";
import type { Opportunity } from "./contract.ts";

function rankOf(row: Opportunity): RowRank {
	const { grade, n_effective, mean_net_bps } = row.evidence;
	const stated = row.metadata.risk_distance_bps;
	const { entry_price, stop_price, opportunity_id } = row;
	const risk_distance_bps = typeof stated === "number" ? stated : null;
	const net_per_risk = netPerRisk({ entry_price, stop_price, risk_distance_bps, mean_net_bps });
	return { grade, net_per_risk, n_effective, opportunity_id };
}

/** Best row first, in the one order of rows. */
export const compareRows = (a: Opportunity, b: Opportunity): number => compareRanks(rankOf(a), rankOf(b));
