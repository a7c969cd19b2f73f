import type { ScanEvent } from "../../machines/events.ts";
import type { Ranked } from "../effects/contract.ts";
import type { StoredPortfolio } from "../services.ts";
import type { Taker } from "./claimed.ts";
import { type KeptResults, rowsInHand } from "./kept-results.ts";
import type { Applied } from "./safe-step.ts";
import { addDocuments, attach, nothingPending, type Pending } from "./scan-commit.ts";
import { type HostState, step } from "./scan-host.ts";
import type { RunDeps } from "./scan-run.ts";

/**
 * The portfolio of a scan that is made as claimed, where nothing has to be waited for: its record then holds the claim and
 * the portfolio. It follows from what the start has read for itself, so whoever dies before that record is durable leaves
 * nothing behind.
 * @param claimed the state that the claim has led to
 * @returns the transition with its event, and results fields. Null: the portfolio has to be an effect, because more has to
 *   be asked, or something of this fails, about which the run can tell
 */
export function portfolioAtOnce(
	taker: Taker,
	stored: StoredPortfolio,
	claimed: HostState,
	at_ms: number,
): { applied: Applied; documents: ReadonlyMap<string, string> } | null {
	try {
		const fetched = taker.portfolioAtOnce?.(stored);
		if (!fetched) return null;
		const event: ScanEvent = { type: "portfolio.fetched", at_ms, portfolio: fetched.portfolio };
		const next = step(claimed, event);
		if (!next) return null;
		const pending = nothingPending();
		attach(pending, fetched.attachments);
		const documents = new Map<string, string>();
		addDocuments(documents, pending.documents);
		return { applied: { ...next, event }, documents };
	} catch {
		return null;
	}
}

/**
 * The ranking of a scan whose last strategies have settled since the last commit, where nothing has to be waited for: one
 * commit then tells both. It computes from what the scan itself has found and reaches nothing outside, so whoever dies
 * before that commit leaves nothing behind, as with any transition.
 * @returns the event that follows, its attachments among what is pending. None: ranking has to be an effect, because a row
 *   is not in hand, or it takes time, or it cuts rows, which have to be told and stored as found before, or it fails, about
 *   which an effect can tell and try again.
 */
export function rankedAtOnce(
	{ effects: { rankAtOnce }, writer }: Pick<RunDeps, "effects" | "writer">,
	committed: HostState,
	{ position, context }: HostState,
	pending: Pending,
	kept: KeptResults,
): ScanEvent[] {
	if (!rankAtOnce || position !== "ranking" || committed.position === "ranking") return [];
	let ranked: Ranked | null = null;
	try {
		const rows = rowsInHand(context, (id) => pending.rows.get(id) ?? kept.row(id));
		if (rows !== null) ranked = rankAtOnce(context, rows);
	} catch {
		return [];
	}
	if (ranked === null || Object.keys(ranked.ranking.cut).length > 0) return [];
	attach(pending, ranked.attachments);
	return [{ type: "ranking.completed", at_ms: writer.now(), ranking: ranked.ranking }];
}
