import type { Json } from "../lib/api.ts";
import { number, share } from "../lib/format.ts";
import { html, useId } from "../lib/html.ts";
import { wilson } from "../lib/wilson.ts";

/** Forecasts of one bin: how likely a profit was called, and how often there was one, 0..1. */
interface Bin {
	from: number;
	n: number;
	predicted: number;
	observed: number;
}

const SIZE = 220;
const EDGE = 34;
const x = (value: number) => EDGE + value * SIZE;
const y = (value: number) => 8 + (1 - value) * SIZE;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

const isBin = (bin: Json): boolean =>
	[bin.from, bin.n, bin.predicted, bin.observed].every(Number.isFinite) && bin.n > 0;

/** What a row tells of its forecasts; empty: nothing. */
export const binsOf = (row: Json): Bin[] => {
	const bins = row.metadata.reliability_bins;
	return Array.isArray(bins) ? (bins.filter(isBin) as Bin[]) : [];
};

/** Stated against observed: a dot on the diagonal is a chance that held. Larger dots are more forecasts. */
export function ReliabilityPlot({ bins }: { bins: Bin[] }) {
	const id = useId();
	const all = bins.reduce((sum, { n }) => sum + n, 0);
	const radius = ({ n }: Bin) => 3 + 7 * Math.sqrt(n / all);
	return html`<figure class="reliability" aria-labelledby=${id}>
		<svg viewBox=${`0 0 ${SIZE + EDGE + 12} ${SIZE + 46}`} aria-hidden="true">
			${TICKS.map(
				(tick) => html`<g key=${tick}>
					<line class="grid" x1=${x(tick)} x2=${x(tick)} y1=${y(0)} y2=${y(1)} />
					<line class="grid" x1=${x(0)} x2=${x(1)} y1=${y(tick)} y2=${y(tick)} />
					<text class="small" x=${x(tick)} y=${y(0) + 15} text-anchor="middle">${100 * tick}</text>
					<text class="small" x=${EDGE - 5} y=${y(tick) + 4} text-anchor="end">${100 * tick}</text>
				</g>`,
			)}
			<line class="diagonal" x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} />
			${bins.map((bin) => {
				const [low, high] = wilson(bin.observed, bin.n);
				return html`<g key=${bin.from}>
					<line class="range" x1=${x(bin.predicted)} x2=${x(bin.predicted)} y1=${y(low)} y2=${y(high)} />
					<circle class="dot" cx=${x(bin.predicted)} cy=${y(bin.observed)} r=${radius(bin)} />
				</g>`;
			})}
			<text class="small" x=${x(0.5)} y=${y(0) + 32} text-anchor="middle">stated chance, %</text>
		</svg>
		<figcaption id=${id}>
			Stated against what happened (%), ${number(all, 0)} past forecasts. On the dashed line a stated chance held; the
			bars are where the true share lies with 95 % certainty.
		</figcaption>
		<details>
			<summary>The same as a table</summary>
			<table class="compact">
				<thead><tr><th>Stated</th><th class="right">Forecasts</th><th class="right">Stated, mean</th><th class="right">Happened</th></tr></thead>
				<tbody>${bins.map(
					(bin) => html`<tr key=${bin.from}>
						<th scope="row">${number(100 * bin.from, 0)} to ${number(100 * bin.from + 10, 0)} %</th>
						<td class="right">${number(bin.n, 0)}</td><td class="right">${share(bin.predicted, 1)}</td><td class="right">${share(bin.observed, 1)}</td>
					</tr>`,
				)}</tbody>
			</table>
		</details>
	</figure>`;
}
