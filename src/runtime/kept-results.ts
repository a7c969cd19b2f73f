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

/** Field of the scan's portfolio, the one document that effects read. */
const PORTFOLIO = "d:portfolio";

interface Held {
	text: string | null;
	row: object | null;
	length: number;
}

/**
 * Results that this run has committed itself, by field of the results key: its later effects need not read back what
 * has just been written. Never the truth: what is not here, of an earlier holder for one, lies in the store.
 */
export class KeptResults {
	private readonly held = new Map<string, Held>();
	/** False once a row did not fit. */
	private wanted = true;
	/** Null: the run has stopped, and nothing is kept for it any more. */
	private room: KeptRoom | null;

	constructor(room: KeptRoom) {
		this.room = room;
	}

	/**
	 * @param fields of an accepted commit
	 * @param rows by opportunity_id, those among the fields at least
	 */
	note(fields: ResultFields, rows: ReadonlyMap<string, object>): void {
		const portfolio = fields.get(PORTFOLIO);
		if (portfolio !== undefined) this.keep(PORTFOLIO, { text: portfolio, row: null, length: portfolio.length });
		for (const [id, row] of rows) {
			const text = fields.get(rowField(id));
			if (text === undefined || !this.wanted) continue;
			this.wanted = this.keep(rowField(id), { text: null, row, length: text.length });
		}
		// All rows are wanted together or none: what is left would only take the room of others.
		if (!this.wanted) for (const field of [...this.held.keys()]) if (field !== PORTFOLIO) this.drop(field);
	}

	/** False: there is no room. */
	private keep(field: string, entry: Held): boolean {
		this.drop(field);
		if (!this.room?.take(entry.length)) return false;
		this.held.set(field, entry);
		return true;
	}

	private drop(field: string): void {
		this.room?.giveBack(this.held.get(field)?.length ?? 0);
		this.held.delete(field);
	}

	/** The run has stopped: others may have its room. */
	clear(): void {
		for (const field of [...this.held.keys()]) this.drop(field);
		this.room = null;
	}

	/** JSON; undefined: it is not here. */
	portfolio(): string | undefined {
		return this.held.get(PORTFOLIO)?.text ?? undefined;
	}

	row(opportunityId: string): object | null {
		return this.held.get(rowField(opportunityId))?.row ?? null;
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
