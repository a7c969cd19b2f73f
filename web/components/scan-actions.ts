import { useAct } from "../lib/act.ts";
import type { Json } from "../lib/api.ts";
import type { StrategyInfo } from "../lib/catalogue.ts";
import { html, useState } from "../lib/html.ts";
import { go, linkTo } from "../lib/router.ts";
import { cancelScan, redriveScan, startScan } from "../lib/scan-api.ts";
import { mayScan } from "../lib/session.ts";
import { verdictWords } from "../lib/words.ts";

const Refusal = ({ error }: { error: Error | null }) =>
	error && html`<p class="bad flat" role="alert">${error.message}</p>`;

export function CancelAction({ status, done }: { status: Json; done: () => void }) {
	const [asked, setAsked] = useState(false);
	const { busy, error, act } = useAct();
	if (!mayScan.value) return null;
	const cancel = () =>
		act(async () => {
			await cancelScan(status.scan_id);
			done();
		});
	return html`<div class="row">
		${
			asked
				? html`<span>Cancel the scan? What was found is kept.</span>
					<button type="button" disabled=${busy} onClick=${cancel}>${busy ? "Cancelling…" : "Yes, cancel it"}</button>
					<button type="button" class="quiet" onClick=${() => setAsked(false)}>No, go on</button>`
				: html`<button type="button" onClick=${() => setAsked(true)}>Cancel scan</button>`
		}
		<${Refusal} error=${error} />
	</div>`;
}

const REDRIVEN = new Set(["failed", "timed_out", "degraded", "cancelled"]);

/** What one may do with an ended scan. */
export function EndedActions({ status, verdicts, strategies }: EndedProps) {
	const { busy, error, act } = useAct();
	if (!mayScan.value) return null;
	const again = () =>
		act(async () => {
			const { scanId } = await startScan(status.filters, true);
			go(linkTo("scans", scanId));
		});
	const filters = JSON.stringify(status.filters);
	return html`<div class="stack">
		<div class="row">
			<button type="button" class="primary" disabled=${busy} onClick=${again}>${busy ? "Starting…" : "Start again"}</button>
			<a class="button" href=${filters === "{}" ? "#/" : `#/?filters=${encodeURIComponent(filters)}`}>Change the filters</a>
			<${Refusal} error=${error} />
		</div>
		${verdicts.length > 0 && html`<${Redrive} scanId=${status.scan_id} verdicts=${verdicts} strategies=${strategies} />`}
	</div>`;
}

interface EndedProps {
	status: Json;
	verdicts: Json[];
	strategies: StrategyInfo[];
}

/** Runs some strategies again in a new scan that keeps the answers of the others. */
function Redrive({ scanId, verdicts }: { scanId: string; verdicts: Json[] }) {
	const { busy, error, act } = useAct();
	const open = verdicts.filter(({ verdict }) => REDRIVEN.has(verdict));
	const submit = (event: Event) => {
		event.preventDefault();
		const ids = new FormData(event.target as HTMLFormElement).getAll("strategy_ids").map(String);
		act(async () => go(linkTo("scans", await redriveScan(scanId, ids))));
	};
	return html`<details>
		<summary>
			${open.length > 0 ? `Run the ${open.length} that did not answer in full again` : "Run single strategies again"}
		</summary>
		<form class="card stack" onSubmit=${submit} aria-label="Run strategies again">
			<p>A new scan runs the ticked strategies again and keeps the answers of the others as they are.</p>
			<div class="ticks">
				${verdicts.map(
					({ strategy_id, strategy_name, verdict }) => html`<label class="tick">
						<input type="checkbox" name="strategy_ids" value=${strategy_id} defaultChecked=${REDRIVEN.has(verdict)} />
						<span>${strategy_name} <small class="muted">${verdictWords(verdict).title.toLowerCase()}</small></span>
					</label>`,
				)}
			</div>
			<div class="row">
				<button type="submit" disabled=${busy}>${busy ? "Starting…" : "Run them again"}</button>
				<${Refusal} error=${error} />
			</div>
		</form>
	</details>`;
}
