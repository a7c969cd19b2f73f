import type { ScanContext } from "../../machines/types.ts";
import type { ResultFields } from "../store/write-contract.ts";
import type { Opportunity } from "../strategies/contract.ts";
import { rowField } from "./scan-commit.ts";

/** What the runs of a process keep of their own results together, by the length of their JSON. */
const KEPT_LENGTH_MAX = 33_554_432;

/** Room for what runs keep, one for a process: a bound for each run would make large scans read back all that they wrote. */
export class KeptRoom {
	private free: number;

	/** @param lengthMax JSON characters, about bytes */
	constructor(lengthMax = KEPT_LENGTH_MAX) {
		this.free = lengthMax;
	}

	/** False: there is not so much left, and nothing is taken. */
	take(length: number): boolean {
		if (length > this.free) return false;
		this.free -= length;
		return true;
	}

	giveBack(length: number): void {
		this.free += length;
	}
}

/**
 * The rows and the portfolio that this run has committed itself, or was made with: its later effects need not read back
 * what has just been written. Never the truth: what is not here, of an earlier holder for one, lies in the store.
 */
export class KeptResults {
	/** By opportunity_id, with the length of their JSON. */
	private readonly rows = new Map<string, { row: object; length: number }>();
	private portfolioText: string | null = null;
	/** False once a row did not fit: all are wanted together or none. */
	private wanted = true;
	/** Null: the run has stopped, and nothing is kept for it any more. */
	private room: KeptRoom | null;

	constructor(room: KeptRoom) {
		this.room = room;
	}

	/**
	 * @param fields of an accepted commit, or of the record that was made for this run
	 * @param rows by opportunity_id, those among the fields at least
	 */
	note(fields: ResultFields, rows: ReadonlyMap<string, object>): void {
		const portfolio = fields.get("d:portfolio");
		if (portfolio !== undefined) this.keepPortfolio(portfolio);
		for (const [id, row] of rows) {
			const length = fields.get(rowField(id))?.length;
			if (length !== undefined && this.wanted) this.keepRow(id, row, length);
		}
	}

	private keepPortfolio(text: string | null): void {
		this.room?.giveBack(this.portfolioText?.length ?? 0);
		this.portfolioText = text !== null && this.room?.take(text.length) ? text : null;
	}

	private keepRow(id: string, row: object, length: number): void {
		this.room?.giveBack(this.rows.get(id)?.length ?? 0);
		this.rows.delete(id);
		if (this.room?.take(length)) this.rows.set(id, { row, length });
		else this.dropRows();
	}

	private dropRows(): void {
		this.wanted = false;
		for (const { length } of this.rows.values()) this.room?.giveBack(length);
		this.rows.clear();
	}

	/** The run has stopped: others may have its room. */
	clear(): void {
		this.dropRows();
		this.keepPortfolio(null);
		this.room = null;
	}

	/** JSON; null: it is not here. */
	portfolio(): string | null {
		return this.portfolioText;
	}

	row(opportunityId: string): object | null {
		return this.rows.get(opportunityId)?.row ?? null;
	}
}

/** All rows that a scan has accepted, by opportunity_id. Null: not all are in hand. */
export function rowsInHand(
	{ strategies }: ScanContext,
	rowOf: (opportunityId: string) => object | null,
): Map<string, Opportunity> | null {
	const rows = new Map<string, Opportunity>();
	for (const { tally } of strategies) {
		for (const ids of [tally.row_ids, tally.unproven_ids]) {
			for (const id of ids) {
				const row = rowOf(id);
				if (row === null) return null;
				rows.set(id, row as Opportunity);
			}
		}
	}
	return rows;
}
