import { html, useId, useLayoutEffect, useRef, type VNode } from "../../lib/html.ts";

export interface Tab {
	id: string;
	label: string;
	// biome-ignore lint/suspicious/noConfusingVoidType: what a component may draw
	show: () => VNode | VNode[] | null | void;
}

const MOVES: Record<string, (at: number, count: number) => number> = {
	ArrowRight: (at, count) => (at + 1) % count,
	ArrowLeft: (at, count) => (at + count - 1) % count,
	Home: () => 0,
	End: (_, count) => count - 1,
};

/** One tab stop for all tabs, arrows between them. */
export function Tabs({ tabs, chosen, onChoose }: { tabs: readonly Tab[]; chosen: string; onChoose(id: string): void }) {
	const base = useId();
	const at = Math.max(
		0,
		tabs.findIndex(({ id }) => id === chosen),
	);
	const onKey = (event: KeyboardEvent) => {
		const next = tabs[MOVES[event.key]?.(at, tabs.length) ?? -1];
		if (!next) return;
		event.preventDefault();
		byPointer.current = false;
		onChoose(next.id);
		document.getElementById(`${base}-${next.id}`)?.focus();
	};
	// Who chose by pointer goes on in the view, so its keys are not taken for the tabs'. The focus moves in the
	// task that shows the view: a key that comes right after the click must not find the tab.
	const byPointer = useRef(false);
	const toPanel = () => document.getElementById(`${base}-panel`)?.focus({ preventScroll: true });
	useLayoutEffect(() => {
		if (byPointer.current) toPanel();
		byPointer.current = false;
	}, [at]);
	const onClick = (i: number, id: string, { detail }: MouseEvent) => {
		byPointer.current = detail > 0 && i !== at;
		if (detail > 0 && i === at) toPanel();
		onChoose(id);
	};
	const tab = tabs[at];
	return html`
		<div class="tabs" role="tablist" aria-label="Views of the scan" onKeyDown=${onKey}>
			${tabs.map(
				({ id, label }, i) =>
					html`<button
						type="button"
						role="tab"
						id=${`${base}-${id}`}
						aria-selected=${i === at ? "true" : "false"}
						aria-controls=${`${base}-panel`}
						tabindex=${i === at ? 0 : -1}
						onClick=${(event: MouseEvent) => onClick(i, id, event)}
					>${label}</button>`,
			)}
		</div>
		<section role="tabpanel" tabindex="-1" id=${`${base}-panel`} aria-labelledby=${`${base}-${tab?.id}`} key=${tab?.id}>${tab?.show()}</section>
	`;
}
