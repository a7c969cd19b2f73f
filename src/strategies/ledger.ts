import type { NearMiss } from "../../machines/types.ts";
import type { Evaluation, Opportunity, Rejection, StrategyLimits } from "./contract.ts";
import { nearest } from "./near-miss.ts";
import { compareRows } from "./ranking.ts";

/**
 * Keeps the account of one evaluation: each candidate ends in exactly one of published, unproven and
 * rejected, so evaluated = published + unproven + rejected holds by construction.
 */
export class Ledger {
	readonly #rows: { published: Opportunity[]; unproven: Opportunity[] } = { published: [], unproven: [] };
	readonly #rejected: Rejection[] = [];
	readonly #misses: NearMiss[] = [];
	#newestMs: number | null = null;

	/** A datum of that time was used. */
	sawDatumAt(ms: number): void {
		this.#newestMs = Math.max(this.#newestMs ?? ms, ms);
	}

	/** `cause`: the read candidate at fault, where `symbol` names something made of several. */
	reject(symbol: string, reason: string, detail?: string, cause?: string): void {
		this.#rejected.push({
			symbol,
			reason,
			...(detail === undefined ? {} : { detail }),
			...(cause === undefined ? {} : { cause }),
		});
	}

	nearMiss(miss: NearMiss): void {
		this.#misses.push(miss);
	}

	/** Grade A or B is published, C is unproven; D never becomes a row. */
	add(row: Opportunity): void {
		if (row.evidence.grade === "D") throw new RangeError(`a row of grade D was built for ${row.symbol}`);
		const proven = row.evidence.grade !== "C" && row.confidence_score !== null;
		(proven ? this.#rows.published : this.#rows.unproven).push(row);
	}

	/** Rows best first, cut at rows_max each (`rank_limit`); rejections by symbol. */
	close(
		unit: string,
		limits: StrategyLimits,
		thresholds: Record<string, number>,
		report: Record<string, unknown>,
	): Evaluation {
		const published = this.#cut(this.#rows.published, limits.rows_max);
		const unproven = this.#cut(this.#rows.unproven, limits.rows_max);
		const rejected = this.#rejected.sort((a, b) =>
			a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.reason < b.reason ? -1 : 1,
		);
		return {
			candidate_unit: unit,
			evaluated: published.length + unproven.length + rejected.length,
			published,
			unproven,
			rejected,
			near_misses: nearest(this.#misses),
			thresholds,
			data_as_of: this.#newestMs === null ? null : new Date(this.#newestMs).toISOString(),
			report,
		};
	}

	#cut(rows: Opportunity[], rowsMax: number): Opportunity[] {
		const ordered = rows.sort(compareRows);
		for (const row of ordered.slice(rowsMax)) this.reject(row.symbol, "rank_limit", `more than ${rowsMax} rows`);
		return ordered.slice(0, rowsMax);
	}
}
