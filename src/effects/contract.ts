import type { ScanEffect, StrategyReport } from "../../machines/events.ts";
import type { AssetsSummary, PortfolioSummary, RankingSummary, ScanContext } from "../../machines/types.ts";
import type { StoredPortfolio } from "../services.ts";
import type { Opportunity, PortfolioSnapshot } from "../strategies/contract.ts";

/**
 * What an effect may leave beside its event: bulk that goes to the scan's results key in the same
 * commit as the event, never into the machine. Keys are opportunity ids.
 */
export interface Attachments {
	/**
	 * Published and unproven rows by opportunity_id, written as JSON once the machine has accepted them and not changed any
	 * more. A map: members of an object whose names nothing else has cost a hidden class each.
	 */
	rows?: ReadonlyMap<string, object>;
	/** The portfolio snapshot of the scan. */
	portfolio?: PortfolioSnapshot;
	/** Named documents of the results key: `ranking`, `report:<strategy_id>`. */
	documents?: Record<string, unknown>;
}

/** Everything an effect may know. It cannot reach the store or the queue. */
export interface EffectContext {
	/** Aborted when the machine no longer wants the effect, at its deadline, and on hand-over. */
	readonly signal: AbortSignal;
	readonly scan: ScanContext;
	/** Bulk of earlier phases. */
	readonly portfolio: () => Promise<PortfolioSnapshot>;
	/** All rows the machine has accepted so far (row_ids and unproven_ids of every entry). */
	readonly rows: () => Promise<Map<string, Opportunity>>;
	/** Milliseconds left until the effect's deadline on the store's clock. */
	readonly timeLeftMs: () => number;
	/** Milliseconds since the scan was accepted, on the store's clock: its data are as of then, however long it waited. */
	readonly elapsedMs: () => number;
}

export interface StrategyEffectContext extends EffectContext {
	/** Hands over what was found so far; the runtime commits it in the next turn. */
	readonly progress: (report: Extract<StrategyReport, { kind: "progressed" }>, attachments: Attachments) => void;
}

/** The complete map: a missing slot does not compile. Errors thrown become Failures. */
export interface Effects {
	fetchPortfolio(context: EffectContext): Promise<FetchedPortfolio>;
	/**
	 * The same portfolio where it follows from what the start of the scan has read alone: a pure function, which reaches
	 * nothing outside, so that a scan can be made with it. Null: more has to be asked.
	 */
	portfolioAtOnce?(stored: StoredPortfolio): FetchedPortfolio | null;
	discoverAssets(context: EffectContext): Promise<{ assets: AssetsSummary; attachments: Attachments }>;
	evaluateStrategy(
		effect: Extract<ScanEffect, { type: "evaluateStrategy" }>,
		context: StrategyEffectContext,
	): Promise<{ report: StrategyReport; attachments: Attachments }>;
	rankOpportunities(context: EffectContext): Promise<Ranked>;
	/**
	 * The same ranking where it follows from what is in hand alone: a pure function, which reaches nothing outside and so
	 * need not wait for the commit of what it ranks. Null: it has to be waited for.
	 */
	rankAtOnce?(scan: ScanContext, rows: ReadonlyMap<string, Opportunity>): Ranked | null;
}

export interface FetchedPortfolio {
	portfolio: PortfolioSummary;
	attachments: Attachments;
}

export interface Ranked {
	ranking: RankingSummary;
	attachments: Attachments;
}

/** Document `ranking` of the results key. */
export interface RankingDocument {
	/** opportunity_ids of shown rows, best first, and of unproven rows. */
	ranked: string[];
	unproven: string[];
	recommendations: {
		strategy_id: string;
		name: string;
		benefit: string;
		reason: string;
		type: string;
	}[];
}
