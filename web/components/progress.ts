import { html } from "../lib/html.ts";

/** A progress bar in whole percent. */
export function Bar({ percentage, label }: { percentage: number; label: string }) {
	return html`<div class="progress">
		<div class="track" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percentage}>
			<div class="filled" style=${{ width: `${percentage}%` }}></div>
		</div>
		<span class="mono" aria-hidden="true">${percentage} %</span>
	</div>`;
}
