import { RowDetail } from "../components/row-detail.ts";
import { Around } from "../components/states.ts";
import { ApiProblem, type Json } from "../lib/api.ts";
import { html } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { linkTo } from "../lib/router.ts";
import { type Results, resultsOf } from "../lib/scan-api.ts";
import { sideWords } from "../lib/words.ts";
import { Absent } from "./scan.ts";

/** One row of an ended scan, by its link. */
export function OpportunityPage({ id, row: rowId }: { id: string; row: string }) {
	const loaded = useLoad(`${id} ${rowId}`, () => resultsOf(id));
	if (loaded.error instanceof ApiProblem && [404, 410].includes(loaded.error.status)) {
		return html`<${Absent} problem=${loaded.error} />`;
	}
	const back = (scanId: string) => html`<p><a href=${linkTo("scans", scanId)}>← All of this scan</a></p>`;
	if (loaded.value === null && !loaded.loading && !loaded.error) {
		return html`${back(id)}<h1>The scan still runs</h1><p>Rows have pages of their own once the scan has ended.</p>`;
	}
	return html`<${Around} of=${loaded} what="the row"
		show=${({ body }: Results) => {
			const row = [...body.opportunities, ...(body.unproven ?? [])].find((one: Json) => one.opportunity_id === rowId);
			if (!row) {
				return html`${back(body.scan_id)}<h1>Not in this scan</h1><p>This scan has no such row. It may stand in another one.</p>`;
			}
			return html`${back(body.scan_id)}
				<h1>${row.symbol} <span class=${row.side === "long" ? "good" : row.side === "short" ? "bad" : "muted"}>${sideWords(row.side)}</span></h1>
				<p class="muted">${row.strategy_name}</p>
				<${RowDetail} row=${row} scanId=${body.scan_id} />`;
		}} />`;
}
