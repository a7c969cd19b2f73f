import { words } from "../../lib/format.ts";
import { html, useId, useMemo, useState } from "../../lib/html.ts";
import { useLoad } from "../../lib/load.ts";
import { Around } from "../states.ts";
import { Chart, Transitions } from "./chart.ts";
import { foldTo, namesIn } from "./fold.ts";
import { type Machine, readMachine, stepsOf, takenEdges } from "./machine.ts";
import type { ScanSource } from "./source.ts";

/** Both machines, lit as the scan stood after entry `seq`, or as it stands now. */
export function Statechart({ source, seq }: { source: ScanSource; seq: number | null }) {
	const { entries } = source;
	const machines = useLoad("machines", () => Promise.all([readMachine("scan"), readMachine("strategy")]));
	const at = seq ?? entries.length;
	const folded = useMemo(() => foldTo(entries, at), [entries, at]);
	const names = useMemo(() => namesIn(entries), [entries]);
	const [wanted, setWanted] = useState<string | null>(null);
	const id = useId();
	const runs = [...folded.strategies.values()];
	const run = runs.find(({ strategy_id }) => strategy_id === wanted) ?? runs[0];
	const visited = new Set(["queued", ...folded.steps.map(({ to }) => to)]);
	return html`
		<p role="status">
			${seq === null ? "As it stands now: " : `As it stood after entry ${at} of ${entries.length}: `}
			<strong>${words(folded.position)}</strong>
		</p>
		<${Around}
			of=${machines}
			what="the machines"
			show=${([scan, strategy]: [Machine, Machine]) => {
				const taken = takenEdges(scan, folded.steps);
				const path = run?.path ?? ["queued"];
				const takenByRun = takenEdges(strategy, stepsOf(path));
				return html`
					<h2>Scan, version ${scan.version}</h2>
					<${Chart} machine=${scan} current=${folded.position} visited=${visited} taken=${taken} />
					<${Transitions} machine=${scan} taken=${taken} />
					<h2>Strategy, version ${strategy.version}</h2>
					<div class="row">
						<label for=${id}>Strategy</label>
						<select id=${id} disabled=${runs.length === 0} value=${run?.strategy_id ?? ""}
							onChange=${(event: Event) => setWanted((event.target as HTMLSelectElement).value)}>
							${runs.map(
								({ strategy_id, verdict, state }) =>
									html`<option value=${strategy_id}>${names.get(strategy_id) ?? strategy_id}: ${words(verdict ?? state)}</option>`,
							)}
						</select>
						${runs.length === 0 && html`<span class="muted">The scan has no strategies yet.</span>`}
					</div>
					<${Chart} machine=${strategy} current=${run ? (run.verdict ?? run.state) : ""} visited=${new Set(path)} taken=${takenByRun} />
					<${Transitions} machine=${strategy} taken=${takenByRun} />
				`;
			}}
		/>
	`;
}
