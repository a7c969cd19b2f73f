import type { ScanContext } from "../../machines/types.ts";
import type { ResultFields } from "../store/write-contract.ts";
import type { Opportunity } from "../strategies/contract.ts";
import { rowField } from "./scan-commit.ts";

/** What one run keeps of its own results at most, by the length of their JSON; what is beyond is read from the store. */
const KEPT_LENGTH_MAX = 262_144;

/**
 * Results that this run has committed itself, by field of the results key: its later effects need not read back what
 * has just been written. Never the truth: what is not here, of an earlier holder for one, lies in the store.
 */
export class KeptResults {
	private readonly held = new Map<string, { text: string | null; row: object | null; length: number }>();
	private length = 0;

	/**
	 * @param fields of an accepted commit
	 * @param rows by opportunity_id, those among the fields at least
	 */
	note(fields: ResultFields, rows: ReadonlyMap<string, object>): void {
		for (const [field, text] of fields) {
			const { length } = text;
			this.length -= this.held.get(field)?.length ?? 0;
			this.held.delete(field);
			if (this.length + length > KEPT_LENGTH_MAX) continue;
			this.held.set(field, { text, row: null, length });
			this.length += length;
		}
		for (const [id, row] of rows) {
			const held = this.held.get(rowField(id));
			if (!held) continue;
			held.text = null;
			held.row = row;
		}
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
