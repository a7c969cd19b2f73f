import { html, useId } from "../lib/html.ts";

export interface Tab {
	id: string;
	title: string;
	view: () => unknown;
}

/** Tabs after the usual pattern: arrows move, only the chosen one is in the order of the Tab key. */
export function Tabs({
	tabs,
	chosen,
	choose,
	label,
}: {
	tabs: Tab[];
	chosen: string;
	choose: (id: string) => void;
	label: string;
}) {
	const base = useId();
	const index = Math.max(
		0,
		tabs.findIndex(({ id }) => id === chosen),
	);
	const current = tabs[index];
	const onKey = (event: KeyboardEvent) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		const to =
			event.key === "Home"
				? 0
				: event.key === "End"
					? tabs.length - 1
					: step === undefined
						? null
						: (index + step + tabs.length) % tabs.length;
		const next = to === null ? undefined : tabs[to];
		if (!next) return;
		event.preventDefault();
		choose(next.id);
		document.getElementById(`${base}-${next.id}`)?.focus();
	};
	return html`
		<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKey}>
			${tabs.map(
				({ id, title }) => html`<button type="button" role="tab" id=${`${base}-${id}`} key=${id}
					aria-selected=${id === current?.id ? "true" : "false"} aria-controls=${`${base}-panel`}
					tabindex=${id === current?.id ? 0 : -1} onClick=${() => choose(id)}>${title}</button>`,
			)}
		</div>
		<div role="tabpanel" id=${`${base}-panel`} aria-labelledby=${`${base}-${current?.id}`} key=${current?.id}>${current?.view()}</div>
	`;
}
