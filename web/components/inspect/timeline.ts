import { duration } from "../../lib/format.ts";
import { html, useMemo } from "../../lib/html.ts";
import { useHeartbeats } from "./heartbeats.ts";
import type { ScanSource } from "./source.ts";
import { type Bar, lanesOf } from "./spans.ts";

const LABEL = 190;
const WIDTH = 1_060;
const END = 100;
const ROW = 26;
const TOP = 28;
const TICKS = 5;

/** Phases and strategies over time. */
export function Timeline({ source }: { source: ScanSource }) {
	const beats = useHeartbeats(source);
	const lastBeat = beats.at(-1) ?? null;
	const { lanes, marks, from_ms, to_ms } = useMemo(() => lanesOf(source.entries, lastBeat), [source.entries, lastBeat]);
	// The commit that ends a scan is its last heartbeat, a moment after the entry.
	const shown = beats.map((at) => Math.min(Math.max(at, from_ms), to_ms));
	const span = Math.max(1, to_ms - from_ms);
	const x = (ms: number): number => LABEL + ((ms - from_ms) / span) * (WIDTH - LABEL - END);
	const height = TOP + lanes.length * ROW + 8;
	return html`
		<p class="muted">
			From acceptance to the last entry: ${duration(to_ms - from_ms)}. Hatched bars are waits; a lane with several bars was tried again.
			Short strokes in the lane of the worker are its heartbeats, as far as they were seen here.
		</p>
		<div class="scroll" tabindex="0" role="region" aria-label="Timeline, scrolls sideways">
			<svg class="timeline" width=${WIDTH} height=${height} role="img" aria-label="Timeline; the table below says the same">
				<defs>
					<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
						<line x1="0" y1="0" x2="0" y2="6" class="hatch" />
					</pattern>
				</defs>
				${Array.from({ length: TICKS + 1 }, (_, i) => {
					const at = from_ms + (span * i) / TICKS;
					return html`<g><line class="tick" x1=${x(at)} x2=${x(at)} y1=${TOP - 6} y2=${height} />
						<text class="small" x=${x(at)} y="14" text-anchor="middle">${duration(at - from_ms)}</text></g>`;
				})}
				${lanes.map(
					(lane, row) =>
						html`<g key=${lane.label}>
							<text x="0" y=${TOP + row * ROW + 16} class=${lane.group}>${lane.label.slice(0, 28)}<title>${lane.label}</title></text>
							${lane.bars.map((bar) => html`<${BarShape} bar=${bar} x=${x} y=${TOP + row * ROW + 3} />`)}
							${
								lane.label === "Worker" &&
								shown.map((at) => {
									const y = TOP + row * ROW;
									return html`<line class="beat" x1=${x(at)} x2=${x(at)} y1=${y} y2=${y + 24}><title>${`heartbeat after ${duration(at - from_ms)}`}</title></line>`;
								})
							}
							<text class="small" x=${x(lane.bars.at(-1)?.to_ms ?? to_ms) + 6} y=${TOP + row * ROW + 16}>${lane.end}</text>
						</g>`,
				)}
				${marks.map(
					({ at_ms, text }) =>
						html`<line class="mark" x1=${x(at_ms)} x2=${x(at_ms)} y1=${TOP - 6} y2=${height}><title>${text}</title></line>`,
				)}
			</svg>
		</div>
		<details>
			<summary>The timeline as a table</summary>
			<div class="scroll" tabindex="0" role="region" aria-label="Timeline as a table">
				<table>
					<thead><tr><th>What</th><th>Part</th><th class="right">After</th><th class="right">Took</th><th>Ended</th></tr></thead>
					<tbody>
						${lanes.flatMap((lane) =>
							lane.bars.map(
								(bar, i) =>
									html`<tr>
										<td>${lane.label}</td><td>${bar.text}</td>
										<td class="right">${duration(bar.from_ms - from_ms)}</td>
										<td class="right">${duration(bar.to_ms - bar.from_ms)}</td>
										<td>${bar.open ? "still open" : i === lane.bars.length - 1 ? lane.end : ""}</td>
									</tr>`,
							),
						)}
						${marks.map(
							({ at_ms, text }) =>
								html`<tr><td>Worker</td><td>${text}</td><td class="right">${duration(at_ms - from_ms)}</td><td></td><td></td></tr>`,
						)}
						${
							lastBeat !== null &&
							html`<tr><td>Worker</td><td>last heartbeat</td><td class="right">${duration(Math.max(0, lastBeat - from_ms))}</td><td></td><td></td></tr>`
						}
					</tbody>
				</table>
			</div>
		</details>
	`;
}

function BarShape({ bar, x, y }: { bar: Bar; x: (ms: number) => number; y: number }) {
	const width = Math.max(2, x(bar.to_ms) - x(bar.from_ms));
	return html`<rect
		class=${`bar ${bar.kind}${bar.open ? " open" : ""}`}
		x=${x(bar.from_ms)}
		y=${y}
		width=${width}
		height="18"
		fill=${bar.kind === "wait" ? "url(#hatch)" : undefined}
		rx="3"
	><title>${`${bar.text}: ${duration(bar.to_ms - bar.from_ms)}${bar.open ? ", still open" : ""}`}</title></rect>`;
}
