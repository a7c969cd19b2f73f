import { time, words } from "../../lib/format.ts";
import { html, useEffect, useId, useLayoutEffect, useState } from "../../lib/html.ts";
import { useLoad } from "../../lib/load.ts";
import { Problem } from "../states.ts";
import { type Change, changesBetween } from "./diff.ts";
import type { ScanSource, StateAt } from "./source.ts";
import { brief, Tree } from "./tree.ts";

/** A held key passes many entries; the server is asked for those it stops at. */
const SETTLE_MS = 150;
const DIFF_MAX = 500;

const MOVES: Record<string, (seq: number, last: number) => number> = {
	ArrowLeft: (seq) => seq - 1,
	ArrowRight: (seq) => seq + 1,
	Home: () => 1,
	End: (_, last) => last,
};

const TAKES_KEYS = "input, select, textarea, [role=tab]";

/** Steps through the scan: the whole state after any entry, and what that entry changed. */
export function Scrubber({ source, seq, onSeq }: { source: ScanSource; seq: number; onSeq(seq: number): void }) {
	const last = source.entries.length;
	const at = Math.min(Math.max(1, seq), last);
	const id = useId();
	// Not after the next paint: a key that comes before it would be lost, or would start from the entry before.
	useLayoutEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			const move = MOVES[event.key];
			if (!move || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
			if ((event.target as Element | null)?.matches?.(TAKES_KEYS)) return;
			event.preventDefault();
			onSeq(Math.min(Math.max(1, move(at, last)), last));
		};
		window.addEventListener("keydown", onKey);
		return () => window.removeEventListener("keydown", onKey);
	}, [at, last, onSeq]);
	const entry = source.entries[at - 1];
	const step = (to: number, label: string) =>
		html`<button type="button" disabled=${to < 1 || to > last || to === at} onClick=${() => onSeq(to)}>${label}</button>`;
	return html`
		<div class="card stack">
			<label for=${id}>Entry ${at} of ${last} <span class="muted">(arrow keys, Home and End move through the journal)</span></label>
			<input
				id=${id}
				type="range"
				min="1"
				max=${last}
				value=${at}
				aria-valuetext=${entry ? `entry ${at}, ${entry.type}, ${words(entry.phase)}` : `entry ${at}`}
				onInput=${(event: Event) => onSeq(Number((event.target as HTMLInputElement).value))}
			/>
			<div class="row">${step(1, "First")}${step(at - 1, "Previous")}${step(at + 1, "Next")}${step(last, "Last")}</div>
			${
				entry &&
				html`<p role="status">
					<strong class="mono">${entry.type}</strong> in ${words(entry.phase)}${entry.strategy_id ? ` for ${entry.strategy_id}` : ""},
					<span class="muted"> ${time(entry.at)}</span>
				</p>`
			}
		</div>
		<${StateView} source=${source} seq=${at} />
	`;
}

/** The number last asked for once it has stood still for a moment. */
function useSettled(value: number): number {
	const [settled, setSettled] = useState(value);
	useEffect(() => {
		const timer = setTimeout(() => setSettled(value), SETTLE_MS);
		return () => clearTimeout(timer);
	}, [value]);
	return settled;
}

function StateView({ source, seq }: { source: ScanSource; seq: number }) {
	const settled = useSettled(seq);
	const read = useLoad(`${source.scanId}/${settled}`, async (signal) => {
		const [before, now] = await Promise.all([
			settled > 1 ? source.stateAt(settled - 1, signal) : null,
			source.stateAt(settled, signal),
		]);
		const changes = before ? changesBetween(plain(before), plain(now), DIFF_MAX) : [];
		const since = before && changes.length === 0 ? stepStart(source, settled) : 0;
		const base = since > 0 ? await source.stateAt(since, signal) : null;
		return { now, changes, since, ofStep: base ? changesBetween(plain(base), plain(now), DIFF_MAX) : [] };
	});
	const shown = read.value;
	if (!shown)
		return read.error
			? html`<${Problem} error=${read.error} retry=${read.reload} />`
			: html`<p class="muted">Reading the state…</p>`;
	return html`
		${read.error && html`<${Problem} error=${read.error} retry=${read.reload} />`}
		<div class="two" aria-busy=${shown.now.seq !== seq}>
			<section aria-label="State" class="state" data-seq=${shown.now.seq}>
				<h2>State after entry ${shown.now.seq}: ${words(shown.now.value)}</h2>
				${source.stream === "file" && html`<p class="muted">A file holds the journal, not the machine's context: this is what the journal tells.</p>`}
				<${Tree} name="context" value=${shown.now.context} open />
				${shown.now.view && html`<${Tree} name="status it implied" value=${shown.now.view} />`}
			</section>
			<section aria-label="Changes" class="changes">
				<h2>${shown.now.seq === 1 ? "The first entry" : `Changes since entry ${shown.now.seq - 1}`}</h2>
				${shown.now.seq === 1 && html`<p class="muted">There is nothing before it.</p>`}
				${
					shown.now.seq > 1 &&
					shown.changes.length === 0 &&
					html`<p class="muted">None: the same step of the machine wrote both entries.</p>`
				}
				<${Changes} changes=${shown.changes} />
				${
					shown.ofStep.length > 0 &&
					html`<h3>What the step changed since entry ${shown.since}</h3><${Changes} changes=${shown.ofStep} />`
				}
			</section>
		</div>
	`;
}

const plain = ({ value, context }: StateAt) => ({ value, context });

/** The last entry before the commit that wrote entry `seq`; 0: there is none. */
function stepStart({ entries }: ScanSource, seq: number): number {
	const revision = entries[seq - 1]?.revision ?? seq;
	return entries.findLast((entry) => entry.seq < seq && entry.revision < revision)?.seq ?? 0;
}

function Changes({ changes }: { changes: Change[] }) {
	if (changes.length === 0) return null;
	return html`
		<ul class="diff">${changes.map((change) => html`<${ChangeItem} key=${change.path} change=${change} />`)}</ul>
		${changes.length === DIFF_MAX && html`<p class="muted">Only the first ${DIFF_MAX} changes are shown.</p>`}
	`;
}

const leaf = (value: unknown) =>
	typeof value === "object" && value !== null
		? html`<${Tree} name="value" value=${value} />`
		: html`<span class="value">${brief(value)}</span>`;

function ChangeItem({ change }: { change: Change }) {
	const { path, kind, before, after } = change;
	return html`<li>
		<span class=${`kind ${kind}`}>${kind}</span> <span class="mono">${path}</span>
		${kind !== "added" && html`<div class="before"><span class="muted">was</span> ${leaf(before)}</div>`}
		${kind !== "removed" && html`<div class="after"><span class="muted">is</span> ${leaf(after)}</div>`}
	</li>`;
}
