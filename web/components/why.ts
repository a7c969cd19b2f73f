import type { Json } from "../lib/api.ts";
import { duration, number, price, time } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { REASONS, reasonWords } from "../lib/reasons.ts";
import { verdictWords } from "../lib/words.ts";
import { Explained, Term } from "./term.ts";

/** For each strategy: how it ended, what it looked at and why that was not taken. */
export function Why({ verdicts }: { verdicts: Json[] }) {
	if (verdicts.length === 0) {
		return html`<p class="muted">The scan ended before any strategy was chosen, so there is nothing to explain here.</p>`;
	}
	return html`
		<p class="muted">Each candidate is counted once: taken, unproven, or left out for the first reason it met.</p>
		<div class="whys">${verdicts.map((verdict) => html`<${OneWhy} key=${verdict.strategy_id} verdict=${verdict} />`)}</div>
		<${Glossary} />
	`;
}

const UNITS: Record<string, string> = {
	position: "positions",
	pair: "pairs",
	structure: "structures",
	symbol: "markets",
};

function OneWhy({ verdict }: { verdict: Json }) {
	const { title, tone, meaning } = verdictWords(verdict.verdict);
	const reason = verdict.reason ? reasonWords(verdict.reason) : null;
	const unit = UNITS[verdict.candidate_unit] ?? "candidates";
	return html`<section class="card stack" aria-label=${verdict.strategy_name}>
		<div class="row spread">
			<h3 class="flat">${verdict.strategy_name}</h3>
			<strong class=${tone}>${title}</strong>
		</div>
		<p class="flat">${reason ? `${reason.title}: ${reason.meaning}` : meaning}</p>
		${verdict.error && html`<p class="flat bad">${verdict.error.message}</p>`}
		${verdict.carried_over_from && html`<p class="flat muted">Kept from an earlier scan, not run again.</p>`}
		<${Bars} verdict=${verdict} unit=${unit} />
		<${NearMisses} misses=${verdict.near_misses} />
		<p class="flat muted small">
			${
				verdict.data_as_of
					? html`<${Term} of="data_age" />: ${typeof verdict.data_age_seconds === "number" ? duration(1000 * verdict.data_age_seconds) : "–"} (${time(verdict.data_as_of)})`
					: "No data was judged"
			}
			${typeof verdict.duration_ms === "number" ? ` · took ${duration(verdict.duration_ms)}` : ""}
			${verdict.attempts > 1 ? ` · ${verdict.attempts} attempts` : ""}
		</p>
	</section>`;
}

function Bars({ verdict, unit }: { verdict: Json; unit: string }) {
	const rejected = Object.entries(verdict.rejected as Record<string, number>).sort(([, a], [, b]) => b - a);
	const kept: [string, number, string][] = [
		["Published", verdict.published, "good"],
		["Unproven", verdict.unproven, "warn"],
	];
	const largest = Math.max(1, ...rejected.map(([, count]) => count), ...kept.map(([, count]) => count));
	const limited = verdict.candidates_total - verdict.evaluated;
	const bar = (count: number, tone: string) =>
		html`<span class=${`bar ${tone}`} style=${{ width: `${(100 * count) / largest}%` }} aria-hidden="true"></span>`;
	if (verdict.evaluated === 0) return html`<p class="flat muted">It looked at no ${unit}.</p>`;
	return html`
		<p class="flat">
			Looked at ${number(verdict.evaluated, 0)} ${unit}${limited > 0 ? ` (of ${number(verdict.candidates_total, 0)}; the rest is beyond the strategy's limit)` : ""}:
		</p>
		<ul class="bars">
			${kept
				.filter(([, count]) => count > 0)
				.map(
					([name, count, tone]) =>
						html`<li><span>${name}</span><span class="count">${count}</span>${bar(count, tone)}</li>`,
				)}
			${rejected.map(([code, count]) => {
				const { title, meaning } = reasonWords(code);
				return html`<li key=${code}><${Explained} title=${title} meaning=${meaning} /><span class="count">${count}</span>${bar(count, "")}</li>`;
			})}
		</ul>
	`;
}

function NearMisses({ misses }: { misses: Json[] }) {
	if (misses.length === 0) return null;
	return html`<div class="scroll" tabindex="0" role="region" aria-label="Nearest misses">
		<table class="compact">
			<caption><${Term} of="near_miss" /></caption>
			<thead><tr><th>Candidate</th><th>Reason</th><th class="right">Measured</th><th class="right">Needed</th><th class="right">Missing</th></tr></thead>
			<tbody>
				${misses.map(
					(miss) => html`<tr>
						<th scope="row">${miss.symbol}</th>
						<td>${reasonWords(miss.reason).title}</td>
						<td class="right">${price(miss.value)}</td>
						<td class="right">${price(miss.threshold)}</td>
						<td class="right">${price(miss.distance)}</td>
					</tr>`,
				)}
			</tbody>
		</table>
	</div>`;
}

function Glossary() {
	const all = Object.entries(REASONS).sort(([, a], [, b]) => a.title.localeCompare(b.title));
	return html`<details>
		<summary>All reasons in plain words (${all.length})</summary>
		<dl class="glossary">
			${all.map(([code, { title, meaning }]) => html`<dt>${title} <small class="muted mono">${code}</small></dt><dd>${meaning}</dd>`)}
		</dl>
	</details>`;
}
