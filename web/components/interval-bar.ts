import { number } from "../lib/format.ts";
import { html } from "../lib/html.ts";

interface Props {
	low: number;
	value: number;
	high: number;
	/** Ends of the scale. */
	from: number;
	to: number;
	/** A value worth comparing with, such as even odds. */
	mark?: number;
	unit: string;
	label: string;
}

/** A figure with its range on a scale. */
export function IntervalBar({ low, value, high, from, to, mark, unit, label }: Props) {
	const at = (of: number) => (100 * (Math.min(Math.max(of, from), to) - from)) / (to - from);
	const words = `${label}: ${number(value, 1)} ${unit}, range ${number(low, 1)} to ${number(high, 1)} ${unit}`;
	return html`<span class="interval" role="img" aria-label=${words}>
		<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
			<line class="scale" x1="0" x2="100" y1="5" y2="5" />
			${mark !== undefined && html`<line class="mark" x1=${at(mark)} x2=${at(mark)} y1="0" y2="10" />`}
			<rect class="range" x=${at(low)} width=${Math.max(0.5, at(high) - at(low))} y="3" height="4" />
			<rect class="value" x=${at(value) - 0.6} width="1.2" y="0.5" height="9" />
		</svg>
		<small class="muted">${number(low, 1)} to ${number(high, 1)} ${unit}</small>
	</span>`;
}
