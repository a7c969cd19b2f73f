import type { PlannedStrategy } from "../../machines/types.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { EffectError } from "../../src/effects/errors.ts";
import type { ScanReader } from "../../src/store/contract.ts";
import { sampleRow } from "../../test/support/records.ts";
import { tally } from "../../test/support/scan-input.ts";
import { quickEffects } from "../../test/support/system.ts";

/** How large a scan is. Its strategies are made up: the catalogue has fewer than growth is measured over. */
export interface Shape {
	strategies: number;
	/** Published rows of the whole scan. */
	rows: number;
	/**
	 * Reports of a strategy, of which the last tells its verdict and each before it is a commit of its own. One: it tells the
	 * rows as well; more: those before it share the rows, so that commits are in proportion to them from the first on.
	 */
	reports: number;
	/** Strategies whose first attempt fails and is made again. */
	failing: number;
}

/** What a usual scan is. */
export const USUAL: Shape = { strategies: 14, rows: 14, reports: 1, failing: 0 };

export const plannedStrategies = (count: number): PlannedStrategy[] =>
	Array.from({ length: count }, (_, index) => ({
		strategy_id: `made_up_strategy_${index}`,
		index,
		priority: 100,
		symbols_max: null,
		chunk_size: null,
		skip: null,
	}));

const indexOf = (strategyId: string): number => Number(strategyId.slice(strategyId.lastIndexOf("_") + 1));

/** Rows are dealt out in turn, so that strategies differ by one at most. */
const rowsOf = ({ strategies, rows }: Shape, index: number): number =>
	Math.floor(rows / strategies) + (index < rows % strategies ? 1 : 0);

const NEWS_LIMIT_MS = 2_000;

/**
 * Effects of a scan of this shape, for one scan: they take no time but to wait for the commit of each report that
 * is not the last.
 */
export function shapedEffects(shape: Shape, reader: Pick<ScanReader, "nextCommit">): Effects {
	const failed = new Set<number>();
	let turn: Promise<unknown> = Promise.resolve();
	return quickEffects({
		async evaluateStrategy({ strategy_id, attempt }, { scan, signal, progress }) {
			const index = indexOf(strategy_id);
			if (index < shape.failing && !failed.has(index)) {
				failed.add(index);
				throw new EffectError("fetch_failed", "The source did not answer", true);
			}
			const found = Array.from({ length: rowsOf(shape, index) }, (_, n) =>
				sampleRow(`${strategy_id}_row_${n}`, { strategy_id }),
			);
			const told = (part: number) => (part === 0 ? 0 : Math.ceil((part / (shape.reports - 1)) * found.length));
			const upTo = (count: number) =>
				tally({
					candidates_total: found.length,
					evaluated: found.length,
					row_ids: found.slice(0, count).map((row) => row.opportunity_id),
				});
			const rows = (from: number, to: number) => new Map(found.slice(from, to).map((row) => [row.opportunity_id, row]));
			for (let part = 1; part < shape.reports; part++) {
				const [from, to] = [told(part - 1), told(part)];
				turn = turn.then(() => {
					const news = reader.nextCommit(scan.input.scan_id, NEWS_LIMIT_MS, signal);
					progress({ kind: "progressed", strategy_id, attempt, tally: upTo(to) }, { rows: rows(from, to) });
					return news;
				});
				await turn;
			}
			const report = { strategy_id, attempt, kind: "finished" as const, degraded: null, tally: upTo(found.length) };
			return { report, attachments: { rows: rows(told(shape.reports - 1), found.length) } };
		},
	});
}
