import type { Clock } from "../clock.ts";
import { TIMEFRAME_MS } from "../market/contract.ts";
import { parseBars, parseCsv, RecordedFileError } from "../market/recorded-csv.ts";
import { type ListedMarket, openClient, type RecordClient, RecordError } from "./client.ts";
import {
	barsFile,
	FUNDING_ALL_FILE,
	fundingFile,
	interestFile,
	recentFunding,
	universeFile,
	universeSnapshot,
} from "./contracts.ts";
import { type FileFacts, replaceFile, sha256Of, writeTable } from "./files.ts";
import { finishedIn, type Journal, type Manifest, type Outcome, openJournal, type RecordPlan } from "./journal.ts";
import type { RecordOptions, RecordRequest, Venue } from "./options.ts";
import {
	candleRows,
	fundingRows,
	interestRows,
	PERP_BAR_COLUMNS,
	type RecordedRow,
	SPOT_BAR_COLUMNS,
	type Span,
} from "./pages.ts";

/** Files in a row that fail because the exchange does not answer, after which the recording stops. */
const AWAY_MAX = 3;
const FUNDING_COLUMNS = ["funding_time", "funding_rate"];
const INTEREST_COLUMNS = ["time", "sum_open_interest", "sum_open_interest_value"];

export interface RecordDeps {
	clock: Clock;
	signal: AbortSignal;
	say(text: string): void;
	/** See ClientOptions. */
	throttle?: boolean;
}

export interface RecordResult {
	/** null: some files could not be recorded. */
	manifest: Manifest | null;
	/** `file: problem` */
	failures: string[];
}

interface Task {
	file: string;
	/** Made of the other files, so only once they are all there. */
	derived: boolean;
	/** What becomes of the file; null: there are no rows. */
	make(): Promise<FileFacts | null>;
}

/**
 * Records what the request asks for into the folder, a file at a time, and closes it with a manifest. A folder in
 * which the same request was begun is gone on with, and ends as if it had never been stopped; one that is finished
 * is left as it is. Throws RecordError when nothing can be done, the signal's reason when it aborts.
 */
export async function record({ request, out, baseUrl }: RecordOptions, deps: RecordDeps): Promise<RecordResult> {
	const finished = await finishedIn(out, request);
	if (finished !== null) return { manifest: finished, failures: [] };
	const clients = new Map<Venue, RecordClient>();
	try {
		for (const venue of request.exchanges) clients.set(venue, await openClient({ venue, baseUrl, ...deps }));
		const journal = await openJournal(out, request, () => planOf(request, clients));
		const failures = await work(tasksOf(out, journal, clients), journal, deps);
		return { manifest: failures.length === 0 ? await journal.finish() : null, failures };
	} finally {
		for (const client of clients.values()) await client.close();
	}
}

async function planOf(request: RecordRequest, clients: ReadonlyMap<Venue, RecordClient>): Promise<RecordPlan> {
	const listed = new Map<Venue, ListedMarket[]>();
	for (const [venue, client] of clients) listed.set(venue, await client.markets());
	const all = [...listed.values()].flat();
	const unknown = request.symbols?.filter((name) => !all.some(({ id, symbol }) => id === name || symbol === name));
	if (unknown && unknown.length > 0) {
		throw new RecordError(
			`no ${request.exchanges.join(" or ")} market quoted in USDT is called ${unknown.join(", ")}`,
			"stop",
		);
	}
	const chosen = ({ id, symbol, active }: ListedMarket): boolean =>
		request.symbols === null ? active : request.symbols.includes(id) || request.symbols.includes(symbol);
	const markets: RecordPlan["markets"] = {};
	for (const [venue, found] of listed) {
		markets[venue] = found
			.filter(chosen)
			.map(({ id }) => id)
			.sort();
	}
	return { request, as_of_ms: request.until_ms ?? (await lastFullHour(clients)), markets };
}

/** By the clock that is behind, so that every exchange has closed the hour. */
async function lastFullHour(clients: ReadonlyMap<Venue, RecordClient>): Promise<number> {
	const times: number[] = [];
	for (const client of clients.values()) times.push(await client.serverTime());
	return Math.floor(Math.min(...times) / TIMEFRAME_MS["1h"]) * TIMEFRAME_MS["1h"];
}

function tasksOf(out: string, journal: Journal, clients: ReadonlyMap<Venue, RecordClient>): Task[] {
	const { request, as_of_ms, markets } = journal.plan;
	const span: Span = { since_ms: request.since_ms ?? 0, until_ms: as_of_ms };
	const tasks: Task[] = [];
	const add = (
		file: string,
		columns: readonly string[],
		stepMs: number | null,
		rows: () => Promise<RecordedRow[]>,
		check?: (text: Buffer) => unknown,
	) => {
		const readable = (text: Buffer) =>
			parseCsv(
				text,
				file,
				columns.map((name) => ({ name, kind: kindOf(name) })),
			);
		const make = async () => {
			const found = await rows();
			return found.length === 0 ? null : writeTable(out, file, columns, found, stepMs, check ?? readable);
		};
		tasks.push({ file, derived: file === FUNDING_ALL_FILE, make });
	};
	for (const [venue, client] of clients) {
		const spot = venue === "binance";
		const ids = markets[venue] ?? [];
		for (const timeframe of request.timeframes) {
			const stepMs = TIMEFRAME_MS[timeframe];
			for (const id of ids) {
				const file = barsFile(spot, timeframe, id);
				const columns = spot ? SPOT_BAR_COLUMNS : PERP_BAR_COLUMNS;
				const rows = () => candleRows(client, id, timeframe, span);
				add(file, columns, stepMs, rows, (text) => parseBars(text, file, stepMs));
			}
		}
		if (spot) continue;
		for (const id of ids) add(fundingFile(id), FUNDING_COLUMNS, null, () => fundingRows(client, id, span));
		for (const id of ids)
			add(interestFile(id), INTEREST_COLUMNS, TIMEFRAME_MS["4h"], () => interestRows(client, id, span));
		const has = (file: string) => (journal.outcome(file)?.rows ?? 0) > 0;
		add(FUNDING_ALL_FILE, ["funding_time", "symbol", "funding_rate"], null, () => recentFunding(out, ids, has));
		tasks.push(universeTask(out, ids, as_of_ms, has));
	}
	return tasks;
}

const kindOf = (column: string) => (column === "symbol" ? ("text" as const) : ("number" as const));

function universeTask(out: string, ids: readonly string[], asOfMs: number, has: (file: string) => boolean): Task {
	const file = universeFile(asOfMs);
	const make = async (): Promise<FileFacts | null> => {
		const snapshot = await universeSnapshot(out, ids, asOfMs, has);
		if (snapshot === null) return null;
		const bytes = Buffer.from(`${JSON.stringify(snapshot, null, 1)}\n`);
		await replaceFile(out, file, bytes);
		const at = new Date(asOfMs).toISOString();
		const facts = { file, bytes: bytes.length, sha256: sha256Of(bytes), rows: snapshot.symbols.length };
		return { ...facts, columns: "json", from: at, to: at, step_ms: null, missing: 0, gaps: [] };
	};
	return { file, derived: true, make };
}

/** Makes the files that are not whole yet; returns what could not be made. */
async function work(tasks: readonly Task[], journal: Journal, { signal, say }: RecordDeps): Promise<string[]> {
	const failures: string[] = [];
	let away = 0;
	for (const [i, { file, derived, make }] of tasks.entries()) {
		if (journal.outcome(file) !== undefined || (derived && failures.length > 0)) continue;
		signal.throwIfAborted();
		try {
			const outcome: Outcome = (await make()) ?? { file, rows: 0 };
			await journal.note(outcome);
			say(`${i + 1}/${tasks.length} ${file}: ${describe(outcome)}`);
			away = 0;
		} catch (error) {
			if (!(error instanceof RecordError || error instanceof RecordedFileError)) throw error;
			const reach = error instanceof RecordError ? error.reach : "here";
			away = reach === "away" ? away + 1 : 0;
			if (reach === "stop" || away >= AWAY_MAX) throw error;
			failures.push(`${file}: ${error.message}`);
			say(`${i + 1}/${tasks.length} ${file}: failed: ${error.message}`);
		}
	}
	return failures;
}

function describe(outcome: Outcome): string {
	if (!("sha256" in outcome)) return "nothing there";
	const missing = outcome.missing > 0 ? `, ${outcome.missing} missing` : "";
	return `${outcome.rows} rows, ${outcome.from} to ${outcome.to}${missing}`;
}
