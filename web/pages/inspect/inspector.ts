import { Journal } from "../../components/inspect/journal.ts";
import { collectScan, importedScan, saveFile } from "../../components/inspect/scan-file.ts";
import { Scrubber } from "../../components/inspect/scrubber.ts";
import { Sequence } from "../../components/inspect/sequence.ts";
import { fileSource, type ScanSource, useServerScan } from "../../components/inspect/source.ts";
import { Statechart } from "../../components/inspect/statechart.ts";
import { Tabs } from "../../components/inspect/tabs.ts";
import { Timeline } from "../../components/inspect/timeline.ts";
import { Empty, Loading, Problem } from "../../components/states.ts";
import { time, words } from "../../lib/format.ts";
import { html, useMemo, useState } from "../../lib/html.ts";
import { linkTo, place, replaceQuery } from "../../lib/router.ts";

/** `#/inspect/:id`: a scan seen from inside. */
export function Inspector({ id }: { id: string }) {
	return id === "imported" ? html`<${Imported} />` : html`<${OnServer} id=${id} />`;
}

function OnServer({ id }: { id: string }) {
	const { source, error } = useServerScan(id);
	if (error) {
		return html`<h1>Inspect a scan</h1><${Problem} error=${error} /><p><a href="#/inspect">Choose another scan</a></p>`;
	}
	if (!source || source.entries.length === 0) return html`<h1>Inspect a scan</h1><${Loading} what="the journal" />`;
	return html`<${Inside} source=${source} actions=${html`<${Export} scanId=${source.scanId} />`} />`;
}

function Imported() {
	const held = importedScan.value;
	const source = useMemo(() => (held ? fileSource(held.file) : null), [held]);
	if (!held || !source) {
		return html`<h1>Imported scan</h1>
			<${Empty}>A file is kept only as long as its page. <a href="#/inspect">Open it again</a><//>`;
	}
	const { file, name } = held;
	return html`
		<div class="card imported" role="note">
			<strong>Imported from a file.</strong> Read-only, and not checked against any server: ${name}, made ${time(file.exported_at)}.
			${!file.ended && " The scan was still running then."}
		</div>
		<${Inside} source=${source} actions=${html`<a href="#/inspect">Close the file</a>`} />
	`;
}

const STREAM_WORDS: Record<ScanSource["stream"], string> = {
	connecting: "connecting",
	live: "live",
	waiting: "connection lost, trying again",
	ended: "ended",
	file: "imported",
};

const setSeq = (next: number): void => replaceQuery({ seq: String(next) });
const toState = (next: number): void => replaceQuery({ tab: "scrubber", seq: String(next) });

function Inside({ source, actions }: { source: ScanSource; actions: unknown }) {
	const { query } = place.value;
	const last = source.entries.length;
	const asked = Number(query.get("seq"));
	const seq = Number.isSafeInteger(asked) && asked >= 1 ? Math.min(asked, last) : null;
	const tab = query.get("tab") ?? (seq === null ? "timeline" : "scrubber");
	const end = source.entries.at(-1);
	return html`
		<h1>Inspect <span class="mono id">${source.scanId}</span></h1>
		<div class="row">
			<span role="status">${words(end?.phase)}, ${last} entries, ${STREAM_WORDS[source.stream]}</span>
			${
				seq !== null &&
				html`<span>at entry ${seq} <button type="button" class="quiet" onClick=${() => replaceQuery({ tab, seq: null })}>back to now</button></span>`
			}
			${actions}
		</div>
		<${Tabs}
			chosen=${tab}
			onChoose=${(id: string) => replaceQuery({ tab: id })}
			tabs=${[
				{ id: "timeline", label: "Timeline", show: () => html`<${Timeline} source=${source} />` },
				{ id: "journal", label: "Journal", show: () => html`<${Journal} source=${source} onSeq=${toState} />` },
				{
					id: "scrubber",
					label: "Scrubber",
					show: () => html`<${Scrubber} source=${source} seq=${seq ?? last} onSeq=${setSeq} />`,
				},
				{ id: "sequence", label: "Sequence", show: () => html`<${Sequence} source=${source} />` },
				{ id: "statechart", label: "Statechart", show: () => html`<${Statechart} source=${source} seq=${seq} />` },
			]}
		/>
	`;
}

function Export({ scanId }: { scanId: string }) {
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const save = async () => {
		setBusy(true);
		setProblem(null);
		try {
			saveFile(await collectScan(scanId));
		} catch (error) {
			setProblem((error as Error).message);
		} finally {
			setBusy(false);
		}
	};
	return html`
		<button type="button" disabled=${busy} onClick=${save}>${busy ? "Collecting…" : "Export as a file"}</button>
		<a href=${`${linkTo("compare")}?b=${encodeURIComponent(scanId)}`}>Compare with another scan</a>
		${problem && html`<span class="bad" role="alert">${problem}</span>`}
	`;
}
