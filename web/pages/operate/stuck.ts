import { Empty } from "../../components/states.ts";
import { type Json, post } from "../../lib/api.ts";
import { clockTime, duration, words } from "../../lib/format.ts";
import { html, useState } from "../../lib/html.ts";
import { linkTo } from "../../lib/router.ts";

const ADVICE: Record<string, string> = {
	wait: "Wait: it is expected to go on by itself",
	cancel: "Cancel it",
	redrive: "Cancel it and run the missing strategies again",
	check_dependency: "Check what it waits for",
};

/** What became of a scan that was ended here; it leaves the list, its word stays. */
interface Ended {
	scan_id: string;
	text: string;
	redriven: string | null;
}

/** Scans that do not get on, longest first, with what is known and what can be done. */
export function StuckList({ scans, reload }: { scans: Json[]; reload(): void }) {
	const [ended, setEnded] = useState<Ended[]>([]);
	const [problem, setProblem] = useState<string | null>(null);
	const [busy, setBusy] = useState<string | null>(null);
	const act = async (scanId: string, run: () => Promise<Ended>) => {
		setBusy(scanId);
		setProblem(null);
		try {
			const outcome = await run();
			setEnded((before) => [...before.filter(({ scan_id }) => scan_id !== scanId), outcome]);
			reload();
		} catch (error) {
			setProblem(`${scanId}: ${(error as Error).message}`);
		} finally {
			setBusy(null);
		}
	};
	const cancel = (scanId: string) =>
		act(scanId, async () => {
			await post(`/opportunities/scans/${encodeURIComponent(scanId)}/cancel`, { reason_text: "stuck" });
			return { scan_id: scanId, text: "cancelled", redriven: null };
		});
	const redrive = (scanId: string) =>
		act(scanId, async () => {
			const { body } = await post(`/opportunities/scans/${encodeURIComponent(scanId)}/redrive`);
			return { scan_id: scanId, text: "run again as", redriven: String(body.scan_id) };
		});
	return html`
		${problem && html`<p class="bad" role="alert">${problem}</p>`}
		<div aria-live="polite">
			${ended.map(
				({ scan_id, text, redriven }) =>
					html`<p key=${scan_id}>
						<a class="mono" href=${linkTo("inspect", scan_id)}>${scan_id}</a> ${text}
						${
							redriven
								? html` <a class="mono" href=${linkTo("inspect", redriven)}>${redriven}</a>`
								: html` <button type="button" disabled=${busy !== null} onClick=${() => redrive(scan_id)}>Redrive</button>`
						}
					</p>`,
			)}
		</div>
		${
			scans.length === 0
				? html`<${Empty}>No scan is stuck.<//>`
				: scans.map(
						(scan) => html`<${StuckScan} key=${scan.scan_id} scan=${scan} busy=${busy !== null} cancel=${cancel} />`,
					)
		}
	`;
}

function StuckScan({ scan, busy, cancel }: { scan: Json; busy: boolean; cancel(scanId: string): void }) {
	const { scan_id, user_id, current_phase, deadline_at, stuck } = scan;
	const { waiting_on, evidence, suggested_action, since } = stuck;
	return html`<article class="card stack stuck" aria-label=${`Stuck scan ${scan_id}`}>
		<h3 class="mono">${scan_id}</h3>
		<p>
			In ${words(current_phase)} since ${clockTime(since)} UTC; waits on the <strong>${waiting_on.kind}</strong>
			${waiting_on.id && html` <span class="mono">${waiting_on.id}</span>`}.
			<strong> ${ADVICE[suggested_action] ?? words(suggested_action)}.</strong>
		</p>
		<dl class="pairs">
			<dt>User</dt><dd class="mono">${user_id}</dd>
			<dt>Last sign of life</dt><dd>${duration(evidence.heartbeat_age_ms)} ago, entry ${evidence.last_seq} (${evidence.last_event_type})</dd>
			<dt>Lease until</dt><dd>${evidence.lease_expires_at === null ? "nobody holds it" : `${clockTime(evidence.lease_expires_at)} UTC`}</dd>
			<dt>Deadline</dt><dd>${clockTime(deadline_at)} UTC</dd>
			<dt>Strategies running</dt><dd>${evidence.strategies_running.join(", ") || "none"}</dd>
		</dl>
		<div class="row">
			<a class="button" href=${linkTo("inspect", scan_id)}>Open the inspector</a>
			<button type="button" disabled=${busy} onClick=${() => cancel(scan_id)}>Cancel the scan</button>
			<span class="muted">It can be redriven once it has ended.</span>
		</div>
	</article>`;
}
