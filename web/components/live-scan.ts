import type { StrategyInfo } from "../lib/catalogue.ts";
import { duration, number } from "../lib/format.ts";
import { html, useEffect, useState } from "../lib/html.ts";
import type { LiveModel, LiveStrategy } from "../lib/live-model.ts";
import type { LiveScan } from "../lib/live-scan.ts";
import { reasonWords } from "../lib/reasons.ts";
import { STEPS, verdictWords } from "../lib/words.ts";
import { Bar } from "./progress.ts";
import { RowsTable } from "./rows-table.ts";

const TICK_MS = 500;

/** A scan at work: steps, strategies, what was found so far. */
export function LiveScanView({ scan, strategies }: { scan: LiveScan; strategies: StrategyInfo[] }) {
	const { model, status } = scan;
	const [nowMs, setNowMs] = useState(() => Date.now());
	useEffect(() => {
		const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
		return () => clearInterval(timer);
	}, []);
	const serverNowMs = nowMs + scan.offsetMs;
	const acceptedMs = Date.parse(status?.accepted_at ?? "");
	const left = status?.estimated_time_remaining_seconds;
	const facts = [
		model.total > 0 ? `${model.completed} of ${model.total} strategies done` : "Strategies are not chosen yet",
		`${number(model.found, 0)} found so far`,
		duration(Math.max(0, serverNowMs - acceptedMs)),
		...(typeof left === "number" && left > 0 ? [`about ${left} s left`] : []),
	];
	return html`
		<section class="card stack below" aria-label="Progress">
			<${Bar} percentage=${model.percentage} label="Progress of the scan" />
			<p class="flat">
				${facts.join(" · ")}
			</p>
			<${Connection} scan=${scan} />
			<${Steps} model=${model} />
		</section>
		<h2>Strategies</h2>
		<${StrategyList} model=${model} strategies=${strategies} serverNowMs=${serverNowMs} />
		<h2>Found so far</h2>
		${
			model.rows.size === 0
				? html`<p class="muted">Nothing yet. What is found appears here at once, before the scan has ended.</p>`
				: html`<${RowsTable} rows=${[...model.rows.values()]} scanId=${status?.scan_id} preliminary />`
		}
	`;
}

function Connection({ scan }: { scan: LiveScan }) {
	if (scan.unreachable) {
		return html`<p class="flat warn" role="status">The server does not answer. Trying again; the scan goes on meanwhile.</p>`;
	}
	const words = {
		connecting: "Connecting to the live events…",
		live: "Live: what you see is what the server knows.",
		waiting: "The live connection was lost. Connecting again; figures come every 3 seconds meanwhile.",
		ended: "The scan has ended.",
	}[scan.stream];
	return html`<p class=${`flat ${scan.stream === "waiting" ? "warn" : "muted"}`} role="status">${words}</p>`;
}

function Steps({ model }: { model: LiveModel }) {
	const current = STEPS.findIndex(
		({ phase }) => phase === (model.phase === "started" ? "portfolio_fetch" : model.phase),
	);
	return html`<ol class="steps">
		${STEPS.map(({ phase, title }, index) => {
			const step = model.phases.get(phase);
			const state = index < current ? "done" : index === current ? "now" : "later";
			return html`<li class=${step?.failed ? "bad" : state} aria-current=${state === "now" ? "step" : undefined}>
				<span>${title}</span>
				<small class="muted">${
					step?.failed
						? "failed"
						: state === "done"
							? typeof step?.durationMs === "number"
								? `done in ${duration(step.durationMs)}`
								: "done"
							: state === "now"
								? "under way"
								: ""
				}</small>
			</li>`;
		})}
	</ol>`;
}

interface ListProps {
	model: LiveModel;
	strategies: StrategyInfo[];
	serverNowMs: number;
}

function StrategyList({ model, strategies, serverNowMs }: ListProps) {
	if (model.strategies.size === 0) return html`<p class="muted">They begin when the markets are known.</p>`;
	return html`<div class="scroll" tabindex="0" role="region" aria-label="Strategies">
		<table class="live">
			<thead>
				<tr><th>Strategy</th><th>State</th><th class="right">Time</th><th class="right">Found</th></tr>
			</thead>
			<tbody>
				${[...model.strategies.values()].map(
					(strategy) => html`<${StrategyRow} key=${strategy.id} strategy=${strategy} serverNowMs=${serverNowMs}
						name=${strategy.name ?? strategies.find(({ id }) => id === strategy.id)?.name ?? strategy.id} />`,
				)}
			</tbody>
		</table>
	</div>`;
}

function StrategyRow({ strategy, name, serverNowMs }: { strategy: LiveStrategy; name: string; serverNowMs: number }) {
	const { state, reason, error, attempt, startedAtMs, durationMs, found } = strategy;
	const { title, tone } = verdictWords(state);
	const spent = durationMs ?? (startedAtMs === null ? null : Math.max(0, serverNowMs - startedAtMs));
	const why = error ?? (reason ? reasonWords(reason).title : null);
	return html`<tr>
		<th scope="row">${name}</th>
		<td>
			<span class=${tone}>${title}</span>${why && html`<span class="muted">: ${why}</span>`}
			${attempt > 1 && html` <small class="muted">(attempt ${attempt})</small>`}
		</td>
		<td class="right">${duration(spent)}</td>
		<td class="right">${state === "pending" ? "" : found}</td>
	</tr>`;
}
