import type { Json } from "../lib/api.ts";
import type { StrategyInfo } from "../lib/catalogue.ts";
import { html } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { place, replaceQuery } from "../lib/router.ts";
import { type Results, resultsOf } from "../lib/scan-api.ts";
import { AboutScan } from "./about-scan.ts";
import { Changes } from "./changes.ts";
import { RowsTable } from "./rows-table.ts";
import { EndedActions } from "./scan-actions.ts";
import { Around, Empty } from "./states.ts";
import { type Tab, Tabs } from "./tabs.ts";
import { Why } from "./why.ts";

/** What an ended scan found, and why not more; the same for one that failed or was cancelled on the way. */
export function EndedScan({ status, strategies }: { status: Json; strategies: StrategyInfo[] }) {
	const loaded = useLoad(status.scan_id, () => resultsOf(status.scan_id));
	return html`<${Around} of=${loaded} what="the results"
		show=${(results: Results) => html`<${Shown} results=${results} status=${status} strategies=${strategies} />`} />`;
}

/** Figures of made-up or old markets look like any others, so the page says what they are. */
const NOT_LIVE: Record<string, string> = {
	simulated: "These markets are simulated: good for trying Lookout out, not for trading.",
	recorded: "These markets are a recording: what you see is what was true then, not now.",
};

interface Props {
	results: Results;
	status: Json;
	strategies: StrategyInfo[];
}

function Shown({ results, status, strategies }: Props) {
	const { body, complete } = results;
	const rows: Json[] = body.opportunities;
	const unproven: Json[] = body.unproven ?? [];
	const verdicts: Json[] = body.strategy_results;
	const tabs: Tab[] = [
		{
			id: "rows",
			title: `${complete ? "Opportunities" : "Found before the end"} (${rows.length})`,
			view: () =>
				rows.length > 0
					? html`<${RowsTable} rows=${rows} scanId=${status.scan_id} key="rows" />`
					: html`<${NoRows} status=${status} unproven=${unproven.length} />`,
		},
		{ id: "why", title: "Why not more", view: () => html`<${Why} verdicts=${verdicts} />` },
		...(complete
			? [
					{
						id: "unproven",
						title: `Unproven (${unproven.length})`,
						view: () => html`<${Unproven} rows=${unproven} scanId=${status.scan_id} />`,
					},
					{ id: "changes", title: "What changed", view: () => html`<${Changes} status=${status} />` },
				]
			: []),
		{ id: "about", title: "About this scan", view: () => html`<${AboutScan} body=${body} />` },
	];
	const choose = (tab: string) =>
		replaceQuery({
			tab: tab === "rows" ? null : tab,
			page: null,
			sort: null,
			text: null,
			side: null,
			risk: null,
			grade: null,
		});
	const kind = body.data_source?.kind;
	return html`
		${kind && kind !== "live" && html`<p class="card lit">${NOT_LIVE[kind]}</p>`}
		<${EndedActions} status=${status} verdicts=${verdicts} strategies=${strategies} />
		<${Tabs} tabs=${tabs} chosen=${place.value.query.get("tab") ?? "rows"} choose=${choose} label="Parts of the result" />
	`;
}

function NoRows({ status, unproven }: { status: Json; unproven: number }) {
	const why = () => replaceQuery({ tab: "why" });
	const words: Record<string, string> = {
		empty: "Nothing is worth a trade right now. Every strategy looked and says why.",
		incomplete: "Nothing was found, but some strategies gave no full answer, so there may be something.",
		nothing_to_scan: status.message,
	};
	const said = words[status.outcome ?? ""] ?? "Nothing had been found when the scan ended.";
	return html`<${Empty}>
		<p>${said}</p>
		${unproven > 0 && html`<p>${unproven} signals are too little proven to be shown as opportunities; they stand under “Unproven”.</p>`}
		${status.outcome !== "nothing_to_scan" && html`<button type="button" onClick=${why}>See why</button>`}
	<//>`;
}

function Unproven({ rows, scanId }: { rows: Json[]; scanId: string }) {
	if (rows.length === 0)
		return html`<${Empty}>Every signal of this scan had enough evidence, or none at all was found.<//>`;
	return html`
		<p>Signals without enough evidence that they pay. They are shown so that you can watch them, not to be traded.</p>
		<${RowsTable} rows=${rows} scanId=${scanId} key="unproven" />
	`;
}
