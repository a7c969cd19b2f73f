import type { DataNeeds } from "./contract.ts";
import { PERP_REPLAY_COST, SPOT_REPLAY_COST } from "./costs.ts";

/** Where a directional rule trades: what it reads, how its record is replayed, what it pays by default. */
export interface MarketProfile {
	needs: DataNeeds;
	/** Fewer bars of a series make no evidence. */
	evidenceBarsMin: number;
	/** Round trip that its walk-forwards are charged, fraction of notional. */
	replayCost: number;
}

const DAILY: Omit<DataNeeds, "candidates" | "evidence" | "funding"> = {
	timeframe: "1d",
	candles: true,
	orderBook: false,
	benchmarks: [],
};

const DAY_MS = 86_400_000;

export const SPOT_DAILY: MarketProfile = {
	needs: {
		...DAILY,
		candidates: "spot",
		funding: false,
		evidence: { market: "spot", timeframe: "1d", bars_min: 300, funding: false },
	},
	evidenceBarsMin: 300,
	replayCost: SPOT_REPLAY_COST,
};

/** Perpetuals: settled funding is part of every record, and the open interest of three days is context. */
export const PERP_DAILY: MarketProfile = {
	needs: {
		...DAILY,
		candidates: "perp",
		funding: true,
		evidence: { market: "perp", timeframe: "1d", bars_min: 200, funding: true },
		open_interest_change_ms: 3 * DAY_MS,
	},
	evidenceBarsMin: 200,
	replayCost: PERP_REPLAY_COST,
};
