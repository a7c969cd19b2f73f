import type { Json } from "../lib/api.ts";
import { number, price, usd } from "../lib/format.ts";
import { html, useMemo, useState } from "../lib/html.ts";
import { linkTo, place, replaceQuery } from "../lib/router.ts";
import { arranged, COLUMNS, type Column, NO_WISH, type TableWish } from "../lib/row-table.ts";
import { RISK_LEVELS, sideWords } from "../lib/words.ts";
import { RowDetail } from "./row-detail.ts";
import { Empty } from "./states.ts";
import { Explained, Term } from "./term.ts";

const PAGE = 50;
const KEYS = Object.keys(NO_WISH) as (keyof TableWish)[];

interface Props {
	rows: Json[];
	scanId: string;
	/** The scan still runs: details open below the table instead of on a page of their own. */
	preliminary?: boolean;
}

/** Rows that can be sorted, filtered and paged; what was chosen stands in the address, so that coming back finds it. */
export function RowsTable({ rows, scanId, preliminary = false }: Props) {
	const [wish, setWish] = useState<TableWish>(() => (preliminary ? NO_WISH : wishOf(place.value.query)));
	const [page, setPage] = useState(() => (preliminary ? 1 : Number(place.value.query.get("page")) || 1));
	const [opened, setOpened] = useState<string | null>(null);
	const shown = useMemo(() => arranged(rows, wish), [rows, wish]);
	const pages = Math.max(1, Math.ceil(shown.length / PAGE));
	const current = Math.min(Math.max(1, page), pages);
	const turn = (to: number) => {
		setPage(to);
		if (!preliminary) replaceQuery({ page: to > 1 ? String(to) : null });
	};
	const change = (next: Partial<TableWish>) => {
		setWish({ ...wish, ...next });
		setPage(1);
		if (preliminary) return;
		replaceQuery({
			page: null,
			...Object.fromEntries(Object.entries(next).map(([key, value]) => [key, value || null])),
		});
	};
	const visible = shown.slice((current - 1) * PAGE, current * PAGE);
	const open = preliminary ? rows.find((row) => row.opportunity_id === opened) : undefined;
	return html`
		${!preliminary && html`<${Controls} wish=${wish} change=${change} />`}
		<p class="muted" role="status">
			${shown.length === rows.length ? `${rows.length} in all` : `${shown.length} of ${rows.length}`}${wish.sort ? "" : preliminary ? ", in the order found" : ", best first"}
		</p>
		${
			shown.length === 0
				? html`<${Empty}>No row matches. <button type="button" class="quiet" onClick=${() => change(NO_WISH)}>Show all</button><//>`
				: html`<div class="scroll" tabindex="0" role="region" aria-label="Opportunities">
					<table class="rows">
						<thead><tr>${COLUMNS.map((column) => html`<${Head} column=${column} sort=${wish.sort} change=${change} />`)}</tr></thead>
						<tbody>
							${visible.map(
								(row) => html`<${Row} key=${row.opportunity_id} row=${row} scanId=${scanId}
									open=${preliminary ? () => setOpened(opened === row.opportunity_id ? null : row.opportunity_id) : null} />`,
							)}
						</tbody>
					</table>
				</div>`
		}
		${pages > 1 && html`<${Pages} current=${current} pages=${pages} turn=${turn} />`}
		${open && html`<section class="card" aria-label=${`Details of ${open.symbol}`}><${RowDetail} row=${open} scanId=${scanId} /></section>`}
	`;
}

const wishOf = (query: URLSearchParams): TableWish =>
	Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""])) as unknown as TableWish;

function Controls({ wish, change }: { wish: TableWish; change: (next: Partial<TableWish>) => void }) {
	const select = (
		key: keyof TableWish,
		label: string,
		options: [id: string, title: string][],
		none = "all",
	) => html`<label>
		<span class="muted">${label}</span>
		<select value=${wish[key]} onChange=${(event: Event) => change({ [key]: (event.target as HTMLSelectElement).value })}>
			<option value="">${none}</option>
			${options.map(([id, title]) => html`<option value=${id} selected=${wish[key] === id}>${title}</option>`)}
		</select>
	</label>`;
	return html`<div class="controls">
		<label class="grow">
			<span class="muted">Search</span>
			<input type="search" value=${wish.text} placeholder="Symbol, strategy, type" autocomplete="off"
				onInput=${(event: Event) => change({ text: (event.target as HTMLInputElement).value })} />
		</label>
		${select(
			"side",
			"Side",
			["long", "short", "neutral"].map((id) => [id, sideWords(id)]),
		)}
		${select(
			"risk",
			"Risk",
			RISK_LEVELS.map((id) => [id, id.replaceAll("_", " ")]),
		)}
		${select(
			"grade",
			"Grade",
			["A", "B", "C"].map((id) => [id, id]),
		)}
		${select(
			"sort",
			"Order",
			COLUMNS.flatMap(({ id, title }): [string, string][] => [
				[id, `${title}, rising`],
				[`-${id}`, `${title}, falling`],
			]),
			"best first",
		)}
	</div>`;
}

interface HeadProps {
	column: Column;
	sort: string;
	change: (next: Partial<TableWish>) => void;
}

function Head({ column, sort, change }: HeadProps) {
	const { id, title, term, right } = column;
	const direction = sort === id ? "ascending" : sort === `-${id}` ? "descending" : undefined;
	// Figures are mostly wanted from the largest down, so that is the first press.
	const [first, second] = right ? [`-${id}`, id] : [id, `-${id}`];
	const next = sort === first ? second : sort === second ? "" : first;
	return html`<th scope="col" class=${right ? "right" : ""} aria-sort=${direction}>
		<button type="button" class="sort" onClick=${() => change({ sort: next })}>
			${title}<span aria-hidden="true">${direction === "ascending" ? " ▲" : direction === "descending" ? " ▼" : ""}</span>
		</button>
		${term && html` <${Term} of=${term}><span aria-label=${`What ${title} means`}>?</span><//>`}
	</th>`;
}

function Row({ row, scanId, open }: { row: Json; scanId: string; open: (() => void) | null }) {
	const { symbol, evidence } = row;
	const interval =
		typeof row.confidence_low === "number" ? `${number(row.confidence_low, 0)}–${number(row.confidence_high, 0)}` : "";
	return html`<tr>
		<th scope="row" data-label="Symbol">
			${
				open
					? html`<button type="button" class="quiet" onClick=${open}>${symbol}</button>`
					: html`<a href=${linkTo("scans", scanId, "rows", row.opportunity_id)}>${symbol}</a>`
			}
		</th>
		<td data-label="Side" class=${row.side === "long" ? "good" : row.side === "short" ? "bad" : ""}>${sideWords(row.side)}</td>
		<td data-label="Strategy">${row.strategy_name}</td>
		<td data-label="Chance" class="right nowrap">
			${typeof row.confidence_score === "number" ? `${number(row.confidence_score, 0)} %` : "–"}
			${interval && html` <small class="muted">${interval}</small>`}
		</td>
		<td data-label="Profit" class="right">${usd(row.profit_potential_usd)}</td>
		<td data-label="Capital" class="right">${usd(row.required_capital_usd, 0)}</td>
		<td data-label="Entry" class="right">${price(row.entry_price)}</td>
		<td data-label="Target" class="right">${price(row.target_price)}</td>
		<td data-label="Stop" class="right">${price(row.stop_price)}</td>
		<td data-label="R:R" class="right">${number(row.risk_reward_ratio, 1)}</td>
		<td data-label="Time" class="nowrap">${row.estimated_timeframe}</td>
		<td data-label="Risk">${String(row.risk_level).replaceAll("_", " ")}</td>
		<td data-label="Grade"><${Explained} title=${evidence.grade} meaning=${`${number(evidence.n, 0)} past trades, worth ${number(evidence.n_effective, 0)} independent ones`} /></td>
	</tr>`;
}

function Pages({ current, pages, turn }: { current: number; pages: number; turn: (to: number) => void }) {
	return html`<nav class="row" aria-label="Pages of the table">
		<button type="button" disabled=${current <= 1} onClick=${() => turn(current - 1)}>Back</button>
		<span>Page ${current} of ${pages}</span>
		<button type="button" disabled=${current >= pages} onClick=${() => turn(current + 1)}>Next</button>
	</nav>`;
}
