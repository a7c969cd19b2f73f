import { type ComponentChildren, html, useId } from "../lib/html.ts";
import { TERMS } from "../lib/terms.ts";

/** A word with its explanation behind it: a button, so that fingers, keys and screen readers reach it. */
export function Term({ of, children }: { of: keyof typeof TERMS; children?: ComponentChildren }) {
	const term = TERMS[of];
	return html`<${Explained} title=${children ?? term.title} meaning=${term.meaning} />`;
}

export function Explained({ title, meaning }: { title: ComponentChildren; meaning: string }) {
	const id = useId();
	return html`<button type="button" class="term" popovertarget=${id}>${title}</button
		><span id=${id} popover="auto" class="tip" role="note">${meaning}</span>`;
}
