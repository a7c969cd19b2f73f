import type { Json } from "../lib/api.ts";
import { number, share, time } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { wilson } from "../lib/wilson.ts";
import { Fact } from "./fact.ts";
import { IntervalBar } from "./interval-bar.ts";
import { binsOf, ReliabilityPlot } from "./reliability-plot.ts";
import { Term } from "./term.ts";

const percentOf = (bps: unknown): string => (typeof bps === "number" ? `${number(bps / 100, 2)} %` : "–");

/** How sure the row is, and from what that is known. */
export function Evidence({ row }: { row: Json }) {
	const { evidence: e } = row;
	return html`<h3>Evidence: grade ${e.grade}</h3>
		<p>${inWords(e)}</p>
		<dl class="facts">
			<${Fact} label=${html`<${Term} of="grade" />`}>${e.grade}<//>
			<${Fact} label=${html`<${Term} of="hit_rate" />`}>
				${share(e.hit_rate)}
				${typeof e.hit_rate === "number" && e.n_effective > 0 && html`<${HitRate} rate=${e.hit_rate} n=${e.n_effective} />`}
			<//>
			<${Fact} label=${html`<${Term} of="expectancy" />`}>
				${percentOf(e.mean_net_bps)}
				${e.bootstrap_90 && html`<${Expectancy} mean=${e.mean_net_bps} range=${e.bootstrap_90} />`}
			<//>
			<${Fact} label=${html`<${Term} of="median" />`}>${percentOf(e.median_net_bps)}<//>
			<${Fact} label=${html`<${Term} of="payoff" />`}>${number(e.profit_factor, 2)}<//>
			<${Fact} label=${html`<${Term} of="n" />`}>${number(e.n, 0)}, of them ${number(e.wins, 0)} won<//>
			<${Fact} label=${html`<${Term} of="n_effective" />`}>${number(e.n_effective, 0)}<//>
			<${Fact} label=${html`<${Term} of="placebo" />`}>${share(e.p_placebo, 1)}<//>
			<${Fact} label="Held on average">${number(e.avg_hold_bars, 1)} bars<//>
			<${Fact} label="Past looked at">${e.first_trade ? `${day(e.first_trade)} to ${day(e.last_trade)}` : "–"}, ${number(e.universe_size, 0)} markets<//>
			<${Fact} label="Method">${e.method}<//>
		</dl>
		<${Reliability} row=${row} />`;
}

const day = (iso: string): string => time(iso).replace(/, [^,]*$/, "");

function inWords(e: Json): string {
	if (!(e.n > 0)) return "There are no past trades to judge by.";
	const won = `Of ${number(e.n, 0)} past trades like this one, ${share(e.hit_rate, 0)} ended with a profit after costs.`;
	const average = typeof e.mean_net_bps === "number" ? ` On average a trade brought ${percentOf(e.mean_net_bps)}` : "";
	const range = e.bootstrap_90
		? `, and with 90 % certainty between ${percentOf(e.bootstrap_90[0])} and ${percentOf(e.bootstrap_90[1])}`
		: "";
	const skew =
		e.median_net_bps < 0 && e.mean_net_bps > 0
			? " More than half of them lost, so the gain comes from a few large wins."
			: "";
	return `${won}${average ? `${average}${range}.` : ""}${skew}`;
}

function HitRate({ rate, n }: { rate: number; n: number }) {
	const [low, high] = wilson(rate, n);
	return html`<${IntervalBar} low=${100 * low} value=${100 * rate} high=${100 * high} from=${0} to=${100} mark=${50} unit="%" label="Hit rate" />`;
}

function Expectancy({ mean, range }: { mean: number; range: [number, number] }) {
	const [low, high] = [range[0] / 100, range[1] / 100];
	const reach = 1.1 * Math.max(Math.abs(low), Math.abs(high), 0.1);
	return html`<${IntervalBar} low=${low} value=${mean / 100} high=${high} from=${-reach} to=${reach} mark=${0} unit="%" label="Average result" />`;
}

/** How well stated chances held in the past. */
function Reliability({ row }: { row: Json }) {
	const { evidence: e, metadata } = row;
	const drift = metadata.drift_ece;
	const bins = binsOf(row);
	const title = html`<h3>How far to trust the stated chance</h3>`;
	if (e.brier === null && e.ece === null && bins.length === 0) {
		return html`${title}<p class="muted">
			How well the stated chance held in the past was not measured for this row: ${
				e.n > 0
					? "no chance was stated before its past trades, or fewer than fifty of them had ended."
					: "there are no past trades to state one for."
			}
		</p>`;
	}
	return html`${title}
		${
			bins.length > 0
				? html`<${ReliabilityPlot} bins=${bins} />`
				: html`<p class="muted">This row carries no single forecasts to draw, only what they came to:</p>`
		}
		<dl class="facts">
			<${Fact} label=${html`<${Term} of="ece" />`}>${share(e.ece)} <${Meter} value=${e.ece} max=${0.25} good=${0.05} label="Calibration error" /><//>
			<${Fact} label=${html`<${Term} of="brier" />`}>${number(e.brier, 3)} <${Meter} value=${e.brier} max=${0.5} good=${0.25} label="Forecast error" /><//>
			${
				typeof drift === "number" &&
				html`<${Fact} label=${html`<${Term} of="drift" />`}>
				${share(drift)} <${Meter} value=${drift} max=${0.5} good=${0.1} label="Recent calibration error" />
			<//>`
			}
		</dl>
		${metadata.drift_alert === true && html`<p class="warn">Lately the stated chances were further off than they used to be. The market may have changed.</p>`}`;
}

/** Small is good; the line marks what still counts as good. */
function Meter({ value, max, good, label }: { value: number | null; max: number; good: number; label: string }) {
	if (typeof value !== "number") return null;
	const at = (of: number) => (100 * Math.min(of, max)) / max;
	return html`<span class="interval" role="img" aria-label=${`${label}: ${value <= good ? "good" : "not good"}`}>
		<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
			<line class="scale" x1="0" x2="100" y1="5" y2="5" />
			<rect class=${value <= good ? "range" : "range poor"} x="0" width=${at(value)} y="3" height="4" />
			<line class="mark" x1=${at(good)} x2=${at(good)} y1="0" y2="10" />
		</svg>
		<small class="muted">${value <= good ? "good" : "weak"}</small>
	</span>`;
}
