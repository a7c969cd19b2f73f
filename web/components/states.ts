import { type ComponentChildren, html } from "../lib/html.ts";
import type { Loaded } from "../lib/load.ts";

/** What is shown while something is read, when reading failed, and when there is nothing. */
export function Loading({ what }: { what: string }) {
	return html`<p class="muted" role="status">Reading ${what}…</p>`;
}

export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
	return html`<div class="card stack" role="alert">
		<p class="bad">${error.message}</p>
		${retry && html`<div><button type="button" onClick=${retry}>Try again</button></div>`}
	</div>`;
}

export function Empty({ children }: { children: ComponentChildren }) {
	return html`<div class="empty">${children}</div>`;
}

/** The usual three states around a read; an old value stays while a newer one is read or fails to come. */
export function Around<T>({ of, what, show }: { of: Loaded<T>; what: string; show: (value: T) => unknown }) {
	if (of.value === null) {
		if (of.error) return html`<${Problem} error=${of.error} retry=${of.reload} />`;
		return html`<${Loading} what=${what} />`;
	}
	return html`${of.error && html`<${Problem} error=${of.error} retry=${of.reload} />`}${show(of.value)}`;
}
