import { type ComponentChildren, html } from "../lib/html.ts";

/** One named figure inside `dl.facts`. */
export function Fact({ label, children }: { label: ComponentChildren; children: ComponentChildren }) {
	return html`<div class="fact"><dt>${label}</dt><dd>${children}</dd></div>`;
}
