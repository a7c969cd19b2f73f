import { get, type Json } from "../../lib/api.ts";
import { followScan, type JournalEvent, type StreamState } from "../../lib/events.ts";
import { useEffect, useState } from "../../lib/html.ts";
import { foldTo } from "./fold.ts";
import { readJournal, type ScanFile } from "./scan-file.ts";

/** A scan as the inspector's tabs read it: from the server or from a file. */
export interface ScanSource {
	scanId: string;
	entries: readonly JournalEvent[];
	/** `file`: what is shown was imported. */
	stream: StreamState | "file";
	stateAt(seq: number, signal: AbortSignal): Promise<StateAt>;
}

export interface StateAt {
	seq: number;
	value: string;
	context: Json;
	/** The status body it implied; null when only the journal is known. */
	view: Json | null;
}

const DRAW_MS = 100;
const KEPT = 60;

/** States never change once written, so the last ones read are kept. */
function stateReader(scanId: string): ScanSource["stateAt"] {
	const kept = new Map<number, StateAt>();
	return async (seq, signal) => {
		const held = kept.get(seq);
		if (held) return held;
		const { body } = await get(`/scan-diagnostics/scan-journal/${encodeURIComponent(scanId)}/${seq}`, { signal });
		const read: StateAt = { seq, value: String(body.state.value), context: body.state.context, view: body.view };
		kept.set(seq, read);
		const oldest = kept.keys().next();
		if (kept.size > KEPT && !oldest.done) kept.delete(oldest.value);
		return read;
	};
}

const ENDS = new Set(["scan.completed", "scan.failed", "scan.cancelled"]);

const latestId = async (signal: AbortSignal): Promise<string> =>
	String((await get("/opportunities/status/latest", { signal })).body.scan_id);

/** Follows a scan while it runs; one that has ended is read in pages and holds no stream open. */
export function useServerScan(id: string): { source: ScanSource | null; error: Error | null } {
	const [source, setSource] = useState<ScanSource | null>(null);
	const [error, setError] = useState<Error | null>(null);
	useEffect(() => {
		const abort = new AbortController();
		const entries: JournalEvent[] = [];
		let timer: ReturnType<typeof setTimeout> | undefined;
		setSource(null);
		setError(null);
		const run = async () => {
			const scanId = id === "latest" ? await latestId(abort.signal) : id;
			const stateAt = stateReader(scanId);
			let stream: StreamState = "connecting";
			const draw = () => {
				timer = undefined;
				if (!abort.signal.aborted) setSource({ scanId, entries: [...entries], stream, stateAt });
			};
			const soon = () => {
				timer ??= setTimeout(draw, DRAW_MS);
			};
			const add = (...more: JournalEvent[]) => {
				for (const entry of more) if (entry.seq > (entries.at(-1)?.seq ?? 0)) entries.push(entry);
				soon();
			};
			const onState = (state: StreamState) => {
				stream = state;
				soon();
			};
			// The journal, unlike the status, is open to administrators too: they may look into anybody's scan.
			await readJournal(scanId, abort.signal, (page) => add(...page));
			const last = entries.at(-1);
			if (last && ENDS.has(last.type)) onState("ended");
			else await followScan(scanId, abort.signal, add, onState, last?.seq);
		};
		run().catch((problem: Error) => !abort.signal.aborted && setError(problem));
		return () => {
			abort.abort();
			clearTimeout(timer);
		};
	}, [id]);
	return { source, error };
}

/** A file holds the journal but not the machine's context; what the journal tells stands in for it. */
export const fileSource = (file: ScanFile): ScanSource => ({
	scanId: file.scan_id,
	entries: file.journal,
	stream: "file",
	stateAt: async (seq) => {
		const { position, phases, strategies, steps: _, ...rest } = foldTo(file.journal, seq);
		const runs = [...strategies.values()].map(({ path: __, ...run }) => run);
		return { seq, value: position, context: { ...rest, phases: [...phases.values()], strategies: runs }, view: null };
	},
});
