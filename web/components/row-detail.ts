import type { Json } from "../lib/api.ts";
import { number, price, time, usd, words } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { reasonWords } from "../lib/reasons.ts";
import { sideWords } from "../lib/words.ts";
import { Evidence } from "./evidence.ts";
import { Fact } from "./fact.ts";
import { IntervalBar } from "./interval-bar.ts";
import { PriceChart } from "./price-chart.ts";
import { Term } from "./term.ts";

/** All about one row, from what to do down to where each figure comes from. */
export function RowDetail({ row, scanId }: { row: Json; scanId: string }) {
	const { metadata } = row;
	return html`
		${
			row.unproven_reason &&
			html`<p class="card lit">
			<strong>Unproven: ${reasonWords(row.unproven_reason).title.toLowerCase()}.</strong>
			 ${reasonWords(row.unproven_reason).meaning} Do not take it for an opportunity.
		</p>`
		}
		<p>${metadata.reasoning}</p>
		<${Figures} row=${row} />
		<h3>Prices</h3>
		<${PriceChart} row=${row} scanId=${scanId} />
		<${Evidence} row=${row} />
		<${Costs} costs=${row.costs} notional=${metadata.notional_usd} />
		<${Inputs} row=${row} />
	`;
}

function Figures({ row }: { row: Json }) {
	const { metadata } = row;
	const sure = typeof row.confidence_score === "number";
	return html`<dl class="facts">
		<${Fact} label="Side">
			${sideWords(row.side)}${metadata.executable ? "" : html`<br /><small class="muted">not to be traded as it stands: no full set of entry, stop and target</small>`}
		<//>
		<${Fact} label=${html`<${Term} of="confidence" />`}>
			${sure ? `${number(row.confidence_score, 1)} %` : "not known"}
			${
				sure &&
				html`<${IntervalBar} low=${row.confidence_low} value=${row.confidence_score} high=${row.confidence_high}
				from=${0} to=${100} mark=${50} unit="%" label="Chance of profit" />`
			}
		<//>
		<${Fact} label=${html`<${Term} of="profit" />`}>${usd(row.profit_potential_usd)}<//>
		<${Fact} label=${html`<${Term} of="capital" />`}>
			${usd(row.required_capital_usd)}
			${metadata.capital_assumed && html`<br /><small class="muted">you have entered no portfolio, so 10,000 USD are assumed</small>`}
		<//>
		<${Fact} label="If the target is reached">${usd(metadata.profit_at_target_usd)}<//>
		<${Fact} label="If the stop is hit">${usd(metadata.loss_at_stop_usd)}<//>
		<${Fact} label=${html`<${Term} of="reward_risk" />`}>${number(row.risk_reward_ratio, 2)}<//>
		<${Fact} label="Holding time">${row.estimated_timeframe}<//>
		<${Fact} label=${html`<${Term} of="risk" />`}>${words(row.risk_level)}<//>
		<${Fact} label="Where">${words(row.exchange)}<//>
	</dl>`;
}

const COSTS = [
	["fee_bps", "fees"],
	["spread_bps", "spread"],
	["impact_bps", "impact"],
	["funding_bps", "funding"],
] as const;

function Costs({ costs, notional }: { costs: Json; notional: unknown }) {
	const largest = Math.max(...COSTS.map(([key]) => Math.abs(costs[key])), 1e-9);
	const inUsd = (bps: number) => (typeof notional === "number" && notional > 0 ? usd((notional * bps) / 10_000) : "");
	return html`<h3>Costs, opening and closing together</h3>
		<div class="scroll" tabindex="0" role="region" aria-label="Costs">
			<table class="compact">
				<thead><tr><th>Kind</th><th class="right"><${Term} of="basis_points" /></th><th class="right">USD</th><th><span class="hidden">Share</span></th></tr></thead>
				<tbody>
					${COSTS.map(
						([key, term]) => html`<tr>
							<th scope="row"><${Term} of=${term} /></th>
							<td class="right">${number(costs[key], 1)}</td>
							<td class="right">${inUsd(costs[key])}</td>
							<td class="bar-cell"><span class="bar" style=${{ width: `${(100 * Math.abs(costs[key])) / largest}%` }}></span></td>
						</tr>`,
					)}
					<tr>
						<th scope="row">Together</th>
						<td class="right"><strong>${number(costs.total_bps, 1)}</strong></td>
						<td class="right">${inUsd(costs.total_bps)}</td>
						<td></td>
					</tr>
				</tbody>
			</table>
		</div>`;
}

/** Said elsewhere on the page, or only for programs. */
const TOLD = new Set(
	"side signal_action stop_loss take_profit risk_reward_ratio reasoning indicators executable strategy_used capital_assumed reliability_bins profit_at_target_usd loss_at_stop_usd".split(
		" ",
	),
);

function Inputs({ row }: { row: Json }) {
	const { metadata, data_source } = row;
	const others = Object.entries(metadata).filter(([name]) => !TOLD.has(name));
	return html`<h3>Method and inputs</h3>
		<dl class="facts">
			<${Fact} label="Strategy">${row.strategy_name}<//>
			<${Fact} label="Type">${words(row.opportunity_type)}<//>
			<${Fact} label="Source">${data_source.name}${data_source.kind === "live" ? "" : ` (${data_source.kind}, not live)`}<//>
			<${Fact} label=${html`<${Term} of="as_of" />`}>${time(row.as_of)}<//>
			<${Fact} label="Found">${time(row.discovered_at)}<//>
		</dl>
		<div class="columns">
			<${Values} title="What the strategy measured" values=${Object.entries(metadata.indicators ?? {})} />
			<${Values} title="Further figures" values=${others} />
		</div>`;
}

function Values({ title, values }: { title: string; values: [string, unknown][] }) {
	if (values.length === 0) return null;
	return html`<details open=${values.length <= 12}>
		<summary>${title} (${values.length})</summary>
		<dl class="values">${values.map(([name, value]) => html`<dt>${words(name)}</dt><dd>${shown(value)}</dd>`)}</dl>
	</details>`;
}

function shown(value: unknown): unknown {
	if (typeof value === "number") return price(value);
	if (typeof value === "boolean") return value ? "yes" : "no";
	if (typeof value !== "object" || value === null) return String(value);
	if (Array.isArray(value)) return value.map((entry, i) => html`<div key=${i}>${shown(entry)}</div>`);
	return html`<dl class="values">
		${Object.entries(value).map(([name, inner]) => html`<dt>${words(name)}</dt><dd>${shown(inner)}</dd>`)}
	</dl>`;
}
