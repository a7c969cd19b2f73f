import { Around, Empty } from "../../components/states.ts";
import { get, type Json } from "../../lib/api.ts";
import { duration, number, time, words } from "../../lib/format.ts";
import { html, useId } from "../../lib/html.ts";
import { useLoad } from "../../lib/load.ts";
import { linkTo, place, replaceQuery } from "../../lib/router.ts";
import { rowsWithout } from "../../lib/scan-api.ts";

type Pair = [unknown, unknown];

/** `#/compare?a=&b=`: what changed from one ended scan to another. */
export function Compare() {
	const { query } = place.value;
	const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
	return html`
		<h1>Compare two scans</h1>
		<${Choose} key=${`${a}/${b}`} a=${a} b=${b} />
		${a && b ? html`<${Compared} key=${`${a}/${b}`} a=${a} b=${b} />` : html`<${Empty}>Choose an earlier and a later scan.<//>`}
	`;
}

function Choose({ a, b }: { a: string; b: string }) {
	const id = useId();
	const scans = useLoad(
		"compare",
		async (signal) => (await get("/opportunities/scans?limit=50", { signal })).body.scans as Json[],
	);
	const submit = (event: Event) => {
		event.preventDefault();
		const form = new FormData(event.target as HTMLFormElement);
		replaceQuery({ a: String(form.get("a")).trim(), b: String(form.get("b")).trim() });
	};
	const field = (name: string, label: string, value: string) => html`<div class="stack">
		<label for=${id + name}>${label}</label>
		<input id=${id + name} name=${name} list=${`${id}-scans`} required spellcheck=${false} autocomplete="off" value=${value} />
	</div>`;
	return html`<form class="card row choose" onSubmit=${submit}>
		${field("a", "Earlier scan", a)}${field("b", "Later scan", b)}
		<datalist id=${`${id}-scans`}>
			${(scans.value ?? []).map(
				(scan) =>
					html`<option value=${scan.scan_id}>${`${time(scan.accepted_at)}, ${words(scan.state)}, ${scan.total_opportunities} found`}</option>`,
			)}
		</datalist>
		<button type="submit" class="primary">Compare</button>
	</form>`;
}

function Compared({ a, b }: { a: string; b: string }) {
	const path = `/scan-diagnostics/scan-diff?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`;
	const diff = useLoad(path, async (signal) => (await get(path, { signal })).body);
	return html`<${Around} of=${diff} what="the comparison" show=${(body: Json) => html`<${Differences} diff=${body} />`} />`;
}

function Differences({ diff }: { diff: Json }) {
	const { opportunities, unproven, strategies, timing, data_as_of } = diff;
	return html`
		${!diff.same_filters && html`<p class="card warn">The two scans had different filters: what is new or gone may come from that.</p>`}
		<dl class="pairs">
			<dt>From</dt><dd><a class="mono" href=${linkTo("inspect", diff.a)}>${diff.a}</a>, data of ${time(data_as_of[0])}, took ${duration(timing.execution_time_ms[0])}</dd>
			<dt>To</dt><dd><a class="mono" href=${linkTo("inspect", diff.b)}>${diff.b}</a>, data of ${time(data_as_of[1])}, took ${duration(timing.execution_time_ms[1])}</dd>
		</dl>
		<${Rows} title="New opportunities" rows=${rowsWithout(opportunities.added, opportunities.unknown.added)} />
		<${Rows} title="Gone" rows=${rowsWithout(opportunities.removed, opportunities.unknown.removed)} />
		<${Perhaps} title="opportunities" unknown=${opportunities.unknown} />
		<h2>Changed (${opportunities.changed.length})</h2>
		${
			opportunities.changed.length === 0
				? html`<p class="muted">No opportunity that both have changed.</p>`
				: html`<ul class="diff">${opportunities.changed.map(
						({ opportunity_id, fields }: Json) =>
							html`<li key=${opportunity_id}><span class="mono">${opportunity_id}</span>
								<ul>${Object.entries(fields as Record<string, Pair>).map(
									([name, pair]) =>
										html`<li><span class="mono">${name}</span>: ${shown(pair[0])} → ${shown(pair[1])}</li>`,
								)}</ul>
							</li>`,
					)}</ul>`
		}
		<${Rows} title="New, unproven" rows=${rowsWithout(unproven.added, unproven.unknown.added)} />
		<${Rows} title="Gone, unproven" rows=${rowsWithout(unproven.removed, unproven.unknown.removed)} />
		<${Perhaps} title="unproven" unknown=${unproven.unknown} />
		<h2>Strategies</h2>
		<div class="scroll" tabindex="0" role="region" aria-label="Strategies of both scans">
			<table>
				<thead><tr><th>Strategy</th><th>Verdict</th><th>Published</th><th>Took</th><th>Rejected, where it differs</th></tr></thead>
				<tbody>${strategies.map((strategy: Json) => html`<${StrategyRow} key=${strategy.strategy_id} strategy=${strategy} />`)}</tbody>
			</table>
		</div>
	`;
}

const shown = (value: unknown): string => {
	if (typeof value === "number") return number(value, 4);
	return typeof value === "string" ? value : value === null ? "–" : JSON.stringify(value);
};

const both = (pair: Pair, say: (value: unknown) => string): string =>
	pair[0] === pair[1] ? say(pair[0]) : `${say(pair[0])} → ${say(pair[1])}`;

function StrategyRow({ strategy }: { strategy: Json }) {
	const { strategy_id, strategy_name, verdict, published, duration_ms, rejected } = strategy;
	const moved = Object.entries(rejected as Record<string, Pair>).filter(([, pair]) => pair[0] !== pair[1]);
	return html`<tr>
		<td>${strategy_name ?? strategy_id}</td>
		<td class=${verdict[0] === verdict[1] ? "" : "warn"}>${both(verdict, words)}</td>
		<td>${both(published, shown)}</td>
		<td>${both(duration_ms, duration)}</td>
		<td>${moved.map(([reason, pair]) => `${words(reason)} ${both(pair, shown)}`).join(", ") || "–"}</td>
	</tr>`;
}

/** Rows that one scan lacks because their strategy did not end well in it, so nobody knows. */
function Perhaps({ title, unknown }: { title: string; unknown: { added: Json[]; removed: Json[] } }) {
	return html`
		${unknown.added.length > 0 && html`<${Rows} title=${`Perhaps new, ${title}: the strategy did not end well in the first scan`} rows=${unknown.added} />`}
		${unknown.removed.length > 0 && html`<${Rows} title=${`Perhaps gone, ${title}: the strategy did not end well in the second scan`} rows=${unknown.removed} />`}
	`;
}

function Rows({ title, rows }: { title: string; rows: Json[] }) {
	if (rows.length === 0) return html`<h2>${title} (0)</h2>`;
	return html`<h2>${title} (${rows.length})</h2>
		<ul>${rows.map(
			(row) =>
				html`<li key=${row.opportunity_id}>
					<strong>${row.symbol}</strong> ${row.side} on ${row.exchange}, ${row.strategy_name ?? row.strategy_id}
					<span class="mono muted"> ${row.opportunity_id}</span>
				</li>`,
		)}</ul>`;
}
