import { EndedScan } from "../components/ended-scan.ts";
import { LiveScanView } from "../components/live-scan.ts";
import { CancelAction } from "../components/scan-actions.ts";
import { Loading, Problem } from "../components/states.ts";
import { ApiProblem, type Json } from "../lib/api.ts";
import { strategies } from "../lib/catalogue.ts";
import { time } from "../lib/format.ts";
import { html } from "../lib/html.ts";
import { useLiveScan } from "../lib/live-scan.ts";
import { useLoad } from "../lib/load.ts";
import { linkTo, place } from "../lib/router.ts";
import { isAdmin } from "../lib/session.ts";
import { filterWords, stateWords } from "../lib/words.ts";

/** One scan: live while it runs, its results afterwards. */
export function Scan({ id }: { id: string }) {
	const scan = useLiveScan(id);
	const list = useLoad("strategies", strategies);
	const { status, problem } = scan;
	if (problem) return html`<${Absent} problem=${problem} />`;
	if (!status) {
		return scan.unreachable
			? html`<h1>Scan</h1><p class="warn" role="status">The server cannot be reached. Trying again…</p>`
			: html`<h1>Scan</h1><${Loading} what="the scan" />`;
	}
	const running = status.status === "scanning";
	return html`
		<${Head} status=${status} names=${list.value ?? []} />
		${running && html`<${CancelAction} status=${status} done=${scan.refresh} />`}
		${
			running
				? html`<${LiveScanView} scan=${scan} strategies=${list.value ?? []} />`
				: html`<${EndedScan} status=${status} strategies=${list.value ?? []} />`
		}
	`;
}

function Head({ status, names }: { status: Json; names: { id: string; name: string }[] }) {
	const { title, tone } = stateWords(status.state);
	const filters = filterWords(status.filters, (id) => names.find((entry) => entry.id === id)?.name ?? id);
	return html`
		<h1>Scan <span class=${tone}>${title.toLowerCase()}</span></h1>
		<p role="status">${status.message}</p>
		${
			place.value.query.get("reused") &&
			html`<p class="muted">
			You asked for the same less than a minute after this scan had ended, so its results are shown again. Tick “Fresh”
			at the start to look anew.
		</p>`
		}
		${
			status.superseded_by &&
			html`<p>
			A newer scan took its place: <a href=${linkTo("scans", status.superseded_by)}>go to it</a>.
		</p>`
		}
		<p class="muted">
			Started ${time(status.accepted_at)}${status.completed_at ? `, ended ${time(status.completed_at)}` : ""} ·
			${filters.length > 0 ? ` ${filters.join(" · ")}` : " no filters"} ·
			<a href=${linkTo("inspect", status.scan_id)}>see it from inside</a>
		</p>
	`;
}

/** Why there is no scan to show: unknown and other people's scans look the same. */
export function Absent({ problem }: { problem: Error }) {
	const status = problem instanceof ApiProblem ? problem.status : 0;
	if (status === 404) {
		return html`<h1>Scan not found</h1>
			<p>There is no such scan among yours. The link may be mistyped, or the scan belongs to somebody else.</p>
			<p><a href="#/history">See your scans</a> or <a href="#/">start one</a>.</p>
			${
				isAdmin.value &&
				html`<p>
				These pages show your own scans. As an administrator you may look into anybody's:
				<a href=${linkTo("inspect", place.value.parts[1] ?? "")}>open it in the inspector</a>.
			</p>`
			}`;
	}
	if (status === 410) {
		const at = problem instanceof ApiProblem ? problem.body.expired_at : null;
		return html`<h1>Scan expired</h1>
			<p>This scan was yours, but its results are kept for a limited time only${at ? ` and went ${time(at)}` : ""}.</p>
			<p><a href="#/history">See your scans</a> or <a href="#/">start a new one</a>.</p>`;
	}
	return html`<h1>Scan</h1><${Problem} error=${problem} />`;
}
