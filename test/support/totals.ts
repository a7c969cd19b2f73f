import type { ScanRecord } from "../../src/store/contract.ts";
import { addAmounts, type Totals } from "../../src/store/totals.ts";

/** What one ended scan adds to the totals. */
export function amountsOf(record: ScanRecord): Totals {
	const sums = new Map<string, number>();
	addAmounts(sums, record);
	return Object.fromEntries(sums);
}
