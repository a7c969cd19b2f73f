import { importedScan, parseScanFile } from "../../components/inspect/scan-file.ts";
import { Around, Empty } from "../../components/states.ts";
import { get, type Json } from "../../lib/api.ts";
import { duration, time, words } from "../../lib/format.ts";
import { html, useId, useState } from "../../lib/html.ts";
import { useLoad } from "../../lib/load.ts";
import { go, linkTo } from "../../lib/router.ts";

const NEWEST = 20;

/** `#/inspect`: which scan to look into. */
export function InspectStart() {
	const scans = useLoad(
		"inspect",
		async (signal) => (await get(`/opportunities/scans?limit=${NEWEST}`, { signal })).body,
	);
	return html`
		<h1>Inspect a scan</h1>
		<div class="two">
			<${ById} />
			<${FromFile} />
		</div>
		<h2>Your newest scans</h2>
		<${Around} of=${scans} what="your scans" show=${({ scans: list }: Json) => html`<${Newest} scans=${list} />`} />
	`;
}

function ById() {
	const id = useId();
	const submit = (event: Event) => {
		event.preventDefault();
		const scanId = String(new FormData(event.target as HTMLFormElement).get("scan_id")).trim();
		if (scanId) go(linkTo("inspect", scanId));
	};
	return html`<form class="card stack" onSubmit=${submit}>
		<label for=${id}>Scan id</label>
		<input id=${id} name="scan_id" required spellcheck=${false} autocomplete="off" placeholder="scan_…" />
		<div><button type="submit" class="primary">Inspect</button></div>
	</form>`;
}

function FromFile() {
	const id = useId();
	const [problem, setProblem] = useState<string | null>(null);
	const read = async (event: Event) => {
		const input = event.target as HTMLInputElement;
		const chosen = input.files?.[0];
		if (!chosen) return;
		setProblem(null);
		try {
			importedScan.value = { file: parseScanFile(await chosen.text()), name: chosen.name };
			go(linkTo("inspect", "imported"));
		} catch (error) {
			setProblem((error as Error).message);
			input.value = "";
		}
	};
	return html`<div class="card stack">
		<label for=${id}>A scan that was exported as a file</label>
		<input id=${id} type="file" accept="application/json,.json" onChange=${read} />
		<span class="muted">The file is read in this page and sent nowhere.</span>
		${problem && html`<span class="bad" role="alert">${problem}</span>`}
	</div>`;
}

function Newest({ scans }: { scans: Json[] }) {
	if (scans.length === 0) return html`<${Empty}>You have no scans yet. <a href="#/">Start one</a><//>`;
	return html`<div class="scroll" tabindex="0" role="region" aria-label="Your newest scans">
		<table>
			<thead><tr><th>Accepted</th><th>State</th><th>Outcome</th><th class="right">Took</th><th class="right">Found</th><th>Scan</th><th>Before it</th></tr></thead>
			<tbody>
				${scans.map(
					(scan, i) =>
						html`<tr key=${scan.scan_id}>
							<td>${time(scan.accepted_at)}</td>
							<td>${words(scan.state)}</td>
							<td>${words(scan.outcome)}</td>
							<td class="right">${duration(scan.duration_ms)}</td>
							<td class="right">${scan.total_opportunities}</td>
							<td><a class="mono" href=${linkTo("inspect", scan.scan_id)}>${scan.scan_id}</a></td>
							<td>${
								scans[i + 1] &&
								html`<a href=${`${linkTo("compare")}?a=${encodeURIComponent(scans[i + 1]?.scan_id)}&b=${encodeURIComponent(scan.scan_id)}`}>compare</a>`
							}</td>
						</tr>`,
				)}
			</tbody>
		</table>
	</div>`;
}
