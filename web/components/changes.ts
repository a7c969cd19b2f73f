import { get, type Json } from "../lib/api.ts";
import { duration, number, price, time, usd, words } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { reasonWords } from "../lib/reasons.ts";
import { linkTo } from "../lib/router.ts";
import { resultsOf, rowsWithout } from "../lib/scan-api.ts";
import { sideWords, verdictWords } from "../lib/words.ts";
import { Around, Empty } from "./states.ts";

const PAGES_MAX = 3;

/** The newest complete scan of the same filters that was accepted before this one; null: none within reach. */
async function previousOf(status: Json, signal: AbortSignal): Promise<Json | null> {
	const filters = JSON.stringify(status.filters);
	let cursor: string | null = null;
	for (let page = 0; page < PAGES_MAX; page++) {
		const query = new URLSearchParams({ status: "complete", to: status.accepted_at, limit: "100" });
		if (cursor) query.set("cursor", cursor);
		const { body } = await get(`/opportunities/scans?${query}`, { signal });
		const found = (body.scans as Json[]).find(
			(scan) => scan.scan_id !== status.scan_id && JSON.stringify(scan.filters) === filters,
		);
		if (found) return found;
		if (!body.has_more) return null;
		cursor = body.next_cursor;
	}
	return null;
}

interface Compared {
	before: Json | null;
	diff: Json | null;
	/** Rows of this scan by id: the comparison tells a changed row by its id alone. */
	rows: Map<string, Json>;
}

/** What is different from the last complete scan of the same filters. */
export function Changes({ status }: { status: Json }) {
	const loaded = useLoad<Compared>(status.scan_id, async (signal) => {
		const before = await previousOf(status, signal);
		if (!before) return { before: null, diff: null, rows: new Map() };
		const query = new URLSearchParams({ a: before.scan_id, b: status.scan_id });
		const [{ body }, results] = await Promise.all([
			get(`/scan-diagnostics/scan-diff?${query}`, { signal }),
			resultsOf(status.scan_id),
		]);
		const rows = (results?.body.opportunities ?? []) as Json[];
		return { before, diff: body, rows: new Map(rows.map((row) => [row.opportunity_id, row])) };
	});
	return html`<${Around} of=${loaded} what="the last scan of the same filters"
		show=${({ before, diff, rows }: Compared) =>
			before && diff
				? html`<${Shown} before=${before} diff=${diff} rows=${rows} />`
				: html`<${Empty}>This is the first complete scan with these filters, so there is nothing to compare it with yet.<//>`} />`;
}

function Shown({ before, diff, rows }: { before: Json; diff: Json; rows: Compared["rows"] }) {
	const { changed, unknown } = diff.opportunities;
	const added = rowsWithout(diff.opportunities.added, unknown.added);
	const removed = rowsWithout(diff.opportunities.removed, unknown.removed);
	const [tookA, tookB] = diff.timing.execution_time_ms;
	const moved = (diff.strategies as Json[]).filter(
		({ verdict, published }) => verdict[0] !== verdict[1] || published[0] !== published[1],
	);
	const hidden = unknown.added.length + unknown.removed.length;
	const same = added.length + removed.length + changed.length + hidden + moved.length === 0;
	return html`
		<p class="muted">
			Compared with <a href=${linkTo("scans", before.scan_id)}>the scan of ${time(before.accepted_at)}</a>
			· took ${duration(tookB)} instead of ${duration(tookA)}
		</p>
		${same && html`<${Empty}>Nothing changed since then.<//>`}
		<${Rows} title="New" rows=${added} scanId=${diff.b} />
		<${Rows} title="Gone" rows=${removed} scanId=${diff.a} />
		<${Rows} title="Perhaps new: the strategy did not end well before" rows=${unknown.added} scanId=${diff.b} />
		<${Rows} title="Perhaps gone: the strategy did not end well now" rows=${unknown.removed} scanId=${diff.a} />
		<${ChangedRows} changed=${changed} scanId=${diff.b} rows=${rows} />
		<${Verdicts} strategies=${moved} />
	`;
}

function Rows({ title, rows, scanId }: { title: string; rows: Json[]; scanId: string }) {
	if (rows.length === 0) return null;
	return html`<h3>${title} (${rows.length})</h3>
		<ul class="plain">
			${rows.map(
				(row) => html`<li key=${row.opportunity_id}>
					<a href=${linkTo("scans", scanId, "rows", row.opportunity_id)}>${row.symbol}</a>
					${sideWords(row.side)}, ${row.strategy_name}, ${number(row.confidence_score, 0)} %, ${usd(row.profit_potential_usd)}
				</li>`,
			)}
		</ul>`;
}

const figure = (name: string, value: unknown): string => {
	if (typeof value !== "number")
		return value === null ? "–" : Array.isArray(value) ? value.map((one) => number(one)).join(" to ") : String(value);
	return name.endsWith("_usd") ? usd(value) : price(value);
};

function ChangedRows({ changed, scanId, rows }: { changed: Json[]; scanId: string; rows: Compared["rows"] }) {
	if (changed.length === 0) return null;
	return html`<h3>Changed (${changed.length})</h3>
		${changed.map(
			({ opportunity_id, fields }) => html`<details key=${opportunity_id}>
				<summary>
					<a href=${linkTo("scans", scanId, "rows", opportunity_id)}>${rows.get(opportunity_id)?.symbol ?? opportunity_id}</a>
					<span class="muted"> ${rows.get(opportunity_id)?.strategy_name}: ${Object.keys(fields).length} figures</span>
				</summary>
				<dl class="values">
					${Object.entries(fields as Record<string, [unknown, unknown]>).map(
						([name, [a, b]]) => html`<dt>${words(name)}</dt><dd>${figure(name, a)} → ${figure(name, b)}</dd>`,
					)}
				</dl>
			</details>`,
		)}`;
}

function Verdicts({ strategies }: { strategies: Json[] }) {
	if (strategies.length === 0) return null;
	const side = (of: string | null) => (of === null ? "not in it" : verdictWords(of).title.toLowerCase());
	return html`<h3>Strategies that ended otherwise (${strategies.length})</h3>
		<ul class="plain">
			${strategies.map(({ strategy_id, strategy_name, verdict, published, rejected }) => {
				const shifts = Object.entries(rejected as Record<string, [number, number]>).filter(([, [a, b]]) => a !== b);
				return html`<li key=${strategy_id}>
					<strong>${strategy_name}</strong>: ${side(verdict[0])} (${published[0] ?? 0}) → ${side(verdict[1])} (${published[1] ?? 0})
					${shifts.length > 0 && html`<span class="muted"> · ${shifts.map(([code, [a, b]]) => `${reasonWords(code).title.toLowerCase()} ${a ?? 0} → ${b ?? 0}`).join(", ")}</span>`}
				</li>`;
			})}
		</ul>`;
}
