import { TOTAL, type Totals, totalField } from "./totals.ts";
import type { Commit, CommitResult } from "./write-contract.ts";

/**
 * Causes in the journal that say that something was healed; other causes are the ordinary course of a scan.
 * The last two stand in no journal: an index had lost a running scan; a claim had outlived its scan.
 */
export const HEALS: readonly string[] = [
	"lease_lost",
	"no_answer",
	"snapshot_unreadable",
	"machine_unknown",
	"relisted",
	"claim_released",
];

/**
 * What this process has committed since it was last told to all. Counted here and added to the totals from
 * time to time: a count per commit in the same script would tie every scan to one slot.
 */
export function createCommitTally() {
	let held: Totals = {};
	const add = (field: string, amount = 1): void => {
		held[field] = (held[field] ?? 0) + amount;
	};
	return {
		commit(commit: Commit, result: CommitResult): void {
			add(totalField(TOTAL.commits, result));
			if (result !== "ok") return;
			for (const { payload } of commit.entries) {
				const { cause } = payload;
				if (typeof cause === "string" && HEALS.includes(cause)) add(totalField(TOTAL.heals, cause));
			}
		},
		healed(cause: "relisted" | "claim_released", times: number): void {
			if (times > 0) add(totalField(TOTAL.heals, cause), times);
		},
		/** Hands over what was counted; what `tell` fails to keep is told again the next time. */
		async flush(tell: (amounts: Totals) => Promise<void>): Promise<void> {
			const amounts = held;
			held = {};
			try {
				await tell(amounts);
			} catch {
				for (const [field, amount] of Object.entries(amounts)) add(field, amount);
			}
		},
	};
}
