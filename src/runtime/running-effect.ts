import type { ScanEffect } from "../../machines/events.ts";
import type { ScanContext } from "../../machines/types.ts";
import type { Clock } from "../clock.ts";
import type { StrategyEffectContext } from "../effects/contract.ts";
import type { ScanReader } from "../store/contract.ts";
import { untilStoreAnswers } from "../store-failure.ts";
import type { Opportunity, PortfolioSnapshot } from "../strategies/contract.ts";
import type { Cut } from "./cut.ts";
import { type KeptResults, rowsInHand } from "./kept-results.ts";

/** Where an effect may look. */
export interface EffectSources {
	reader: ScanReader;
	clock: Clock;
	/** The store's clock. */
	now: () => number;
	/** What this run has committed itself, or was made with. */
	kept: KeptResults;
	/** The latest state of the scan. */
	scan: () => ScanContext;
}

/**
 * What one effect may know. A class, because its signal is made when it is asked for: an object that is written out with
 * a getter gets a shape of its own each time, which costs ten times as much.
 */
export class RunningEffect implements StrategyEffectContext {
	readonly scan: ScanContext;
	readonly progress: StrategyEffectContext["progress"];
	private readonly sources: EffectSources;
	private readonly deadlineAtMs: number;
	private readonly cut: Cut;

	constructor(sources: EffectSources, effect: ScanEffect, cut: Cut, progress: StrategyEffectContext["progress"]) {
		this.scan = sources.scan();
		this.progress = progress;
		this.sources = sources;
		this.deadlineAtMs = effect.deadline_at_ms;
		this.cut = cut;
	}

	get signal(): AbortSignal {
		return this.cut.signal;
	}

	readonly timeLeftMs = (): number => this.deadlineAtMs - this.sources.now();

	readonly elapsedMs = (): number => Math.max(0, this.sources.now() - this.scan.input.accepted_at_ms);

	readonly portfolio = async (): Promise<PortfolioSnapshot> => {
		const kept = this.sources.kept.portfolio();
		if (kept !== null) return JSON.parse(kept) as PortfolioSnapshot;
		const { scan_id } = this.scan.input;
		const stored = await this.patiently(() => this.sources.reader.document<PortfolioSnapshot>(scan_id, "portfolio"));
		if (!stored) throw new Error("the scan's portfolio is not stored");
		return stored;
	};

	readonly rows = async (): Promise<Map<string, Opportunity>> => {
		const { scan, kept, reader } = this.sources;
		const known = rowsInHand(scan(), (id) => kept.row(id));
		if (known !== null) return known;
		const ids = scan().strategies.flatMap(({ tally }) => [...tally.row_ids, ...tally.unproven_ids]);
		const texts = await this.patiently(() => reader.rows(this.scan.input.scan_id, ids));
		const rows = texts.map((text) => JSON.parse(text) as Opportunity);
		return new Map(rows.map((row) => [row.opportunity_id, row]));
	};

	private patiently<T>(ask: () => Promise<T>): Promise<T> {
		return untilStoreAnswers(ask, this.sources.clock, this.cut.signal);
	}
}
