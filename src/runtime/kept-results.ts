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
 * Results that this run has committed itself, by field of the results key: its later effects need not read back what
 * has just been written. Never the truth: what is not here, of an earlier holder for one, lies in the store.
 */
export class KeptResults {
	private readonly held = new Map<string, { text: string | null; row: object | null; length: number }>();
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
		const { room } = this;
		if (room === null) return;
		for (const [field, text] of fields) {
			const { length } = text;
			room.giveBack(this.held.get(field)?.length ?? 0);
			this.held.delete(field);
			if (room.take(length)) this.held.set(field, { text, row: null, length });
		}
		for (const [id, row] of rows) {
			const held = this.held.get(rowField(id));
			if (!held) continue;
			held.text = null;
			held.row = row;
		}
	}

	/** The run has stopped: others may have its room. */
	clear(): void {
		for (const { length } of this.held.values()) this.room?.giveBack(length);
		this.held.clear();
		this.room = null;
	}

	/** JSON of a document; undefined: it is not here. */
	document(name: string): string | undefined {
		return this.held.get(`d:${name}`)?.text ?? undefined;
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
