import { html, useState } from "../../lib/html.ts";

/** Members drawn at once; the rest comes on demand. */
const SHOWN = 100;
const BRIEF = 60;

const isGroup = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** One line that says what a value holds. */
export function brief(value: unknown): string {
	if (value === undefined) return "–";
	if (Array.isArray(value)) return value.length === 1 ? "1 item" : `${value.length} items`;
	if (isGroup(value)) {
		const names = Object.keys(value);
		const list = names.slice(0, 4).join(", ");
		return names.length === 0
			? "empty"
			: `${list.slice(0, BRIEF)}${names.length > 4 || list.length > BRIEF ? ", …" : ""}`;
	}
	return JSON.stringify(value);
}

/** A value as a tree that opens member by member; what is closed is not drawn. */
export function Tree({ name, value, open = false }: { name: string; value: unknown; open?: boolean }) {
	const [opened, setOpened] = useState(open);
	const [shown, setShown] = useState(SHOWN);
	if (!isGroup(value)) {
		return html`<div class="leaf"><span class="key">${name}</span> <span class="value">${brief(value)}</span></div>`;
	}
	const members = Object.entries(value);
	if (members.length === 0) {
		return html`<div class="leaf"><span class="key">${name}</span> <span class="muted">empty</span></div>`;
	}
	return html`<details class="tree" open=${opened} onToggle=${(event: Event) => {
		if (event.target === event.currentTarget) setOpened((event.currentTarget as HTMLDetailsElement).open);
	}}>
		<summary><span class="key">${name}</span> <span class="muted">${brief(value)}</span></summary>
		${
			opened &&
			html`<div class="members">
				${members.slice(0, shown).map(([key, member]) => html`<${Tree} key=${key} name=${key} value=${member} />`)}
				${
					members.length > shown &&
					html`<button type="button" class="quiet" onClick=${() => setShown(shown + SHOWN)}>
						Show ${Math.min(SHOWN, members.length - shown)} more of ${members.length}
					</button>`
				}
			</div>`
		}
	</details>`;
}
