import type { JournalEvent } from "../../lib/events.ts";
import { clockTime, duration, words } from "../../lib/format.ts";
import { html, useId, useMemo, useState } from "../../lib/html.ts";
import { Empty } from "../states.ts";
import { namesIn } from "./fold.ts";
import type { ScanSource } from "./source.ts";
import { Tree } from "./tree.ts";

const PAGE = 100;

const optionsOf = (values: Iterable<string>): string[] => [...new Set(values)].sort();

/** Every entry of the journal, filtered and in pages. */
export function Journal({ source, onSeq }: { source: ScanSource; onSeq(seq: number): void }) {
	const { entries } = source;
	const [type, setType] = useState("");
	const [strategy, setStrategy] = useState("");
	const [page, setPage] = useState(0);
	const id = useId();
	const names = useMemo(() => namesIn(entries), [entries]);
	const types = useMemo(() => optionsOf(entries.map((entry) => entry.type)), [entries]);
	const strategies = useMemo(() => optionsOf(entries.flatMap((entry) => entry.strategy_id ?? [])), [entries]);
	const fitting = entries.filter(
		(entry) => (type === "" || entry.type === type) && (strategy === "" || entry.strategy_id === strategy),
	);
	const pages = Math.max(1, Math.ceil(fitting.length / PAGE));
	const at = Math.min(page, pages - 1);
	const choose = (set: (value: string) => void) => (event: Event) => {
		set((event.target as HTMLSelectElement).value);
		setPage(0);
	};
	return html`
		<div class="row">
			<label for=${`${id}-type`}>Event</label>
			<select id=${`${id}-type`} value=${type} onChange=${choose(setType)}>
				<option value="">every event</option>
				${types.map((name) => html`<option value=${name}>${name}</option>`)}
			</select>
			<label for=${`${id}-strategy`}>Strategy</label>
			<select id=${`${id}-strategy`} value=${strategy} onChange=${choose(setStrategy)}>
				<option value="">every strategy</option>
				${strategies.map((name) => html`<option value=${name}>${names.get(name) ?? name}</option>`)}
			</select>
			<span role="status">${fitting.length} of ${entries.length} entries</span>
			<${Pager} at=${at} pages=${pages} onPage=${setPage} />
		</div>
		${
			fitting.length === 0
				? html`<${Empty}>No entry fits these filters.<//>`
				: html`<div class="scroll" tabindex="0" role="region" aria-label="Journal entries">
					<table class="journal">
						<thead><tr>
							<th class="right">Seq</th><th>Time (UTC)</th><th>Event</th><th>From</th><th>To</th><th>Strategy</th>
							<th>Effects</th><th class="right">Since previous</th><th>Payload</th>
						</tr></thead>
						<tbody>
							${fitting
								.slice(at * PAGE, (at + 1) * PAGE)
								.map(
									(entry) =>
										html`<${Row} key=${entry.seq} entry=${entry} before=${entries[entry.seq - 2]} names=${names} onSeq=${onSeq} />`,
								)}
						</tbody>
					</table>
				</div>`
		}
	`;
}

const PHASE_EFFECTS: Record<string, string> = {
	portfolio_fetch: "fetchPortfolio",
	asset_discovery: "discoverAssets",
	ranking: "rankOpportunities",
};

/** What the runtime does once the entry is committed. */
function effectsOf({ type, payload }: JournalEvent): string {
	if (type === "phase.started") return PHASE_EFFECTS[payload.phase] ?? "–";
	if (type === "strategy.started") return "evaluateStrategy";
	return type === "scan.resumed" ? "those in flight, again" : "–";
}

interface RowProps {
	entry: JournalEvent;
	before: JournalEvent | undefined;
	names: Map<string, string>;
	onSeq(seq: number): void;
}

function Row({ entry, before, names, onSeq }: RowProps) {
	const { seq, at, type, phase, strategy_id, attempt, payload } = entry;
	return html`<tr>
		<td class="right">
			<button type="button" class="quiet" title="See the whole state after this entry" onClick=${() => onSeq(seq)}>${seq}</button>
		</td>
		<td class="mono">${clockTime(at)}</td>
		<td class="mono">${type}</td>
		<td>${before ? words(before.phase) : "–"}</td>
		<td>${words(phase)}</td>
		<td>${strategy_id ? `${names.get(strategy_id) ?? strategy_id}${attempt && attempt > 1 ? `, attempt ${attempt}` : ""}` : "–"}</td>
		<td class="mono">${effectsOf(entry)}</td>
		<td class="right">${before ? duration(Date.parse(at) - Date.parse(before.at)) : "–"}</td>
		<td class="payload"><${Tree} name="payload" value=${payload} /></td>
	</tr>`;
}

function Pager({ at, pages, onPage }: { at: number; pages: number; onPage(page: number): void }) {
	if (pages < 2) return null;
	return html`<nav class="row" aria-label="Pages of the journal">
		<button type="button" disabled=${at === 0} onClick=${() => onPage(at - 1)}>Earlier</button>
		<span>Page ${at + 1} of ${pages}</span>
		<button type="button" disabled=${at === pages - 1} onClick=${() => onPage(at + 1)}>Later</button>
	</nav>`;
}
