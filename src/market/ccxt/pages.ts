import { ByteLru } from "../byte-lru.ts";
import { WHOLE_EVERY_MS } from "../live-rules.ts";

/** A history that was read before: whole from `from_ms` on, up to what was settled at `to_ms`. */
export interface KeptHistory<Columns> {
	columns: Columns;
	from_ms: number;
	to_ms: number;
	/** Nothing older than this exists at the exchange; null: not known yet. */
	begin_ms: number | null;
	/** When the reading of the whole began, on the source's clock. */
	whole_at_ms: number;
	/** A page suggested where the market begins, and the exchange is still to be asked for it. */
	begin_due?: boolean;
}

export interface HistoryReading<Columns> {
	/** Wanted: whole from here on, as far as the exchange reaches back, up to but not including to_ms. */
	from_ms: number;
	to_ms: number;
	/** Longest window of one page, ms. */
	window_ms: number;
	/** So far apart data may lie without a gap between them; absent: a tenth of a window shows a gap. */
	spacing_ms?: number;
	/** Nothing is added any more, so an empty newest window says nothing about older ones. */
	ended: boolean;
	/** The oldest instant of the columns; null: they are empty. */
	first(columns: Columns): number | null;
	/** Up to which instant the columns are known to be whole: what an exchange is late to publish lies after it. */
	settled(columns: Columns): number;
	/** What of the window [fromMs, toMs) there is. */
	page(fromMs: number, toMs: number): Promise<Columns>;
	/** The oldest instant that the exchange has from from_ms on; null where it cannot be asked that. */
	oldest: (() => Promise<number | null>) | null;
	merge(one: Columns, other: Columns): Columns;
}

/**
 * Reads a history window by window and keeps what it read. Only what is newer than the kept end, and older than
 * its begin, is asked for; every page is kept at once, so a reading that was cut goes on where it stood.
 * Windows go back from the newest until one shows the begin of the market.
 */
export async function readHistory<Columns extends object>(
	kept: KeptHistory<Columns> | null,
	reading: HistoryReading<Columns>,
	keep: (history: KeptHistory<Columns>) => void,
): Promise<KeptHistory<Columns>> {
	let history = kept === null ? await firstPage(reading) : await newerPages(kept, reading);
	keep(history);
	for (;;) {
		if (history.begin_due) {
			history = { ...history, begin_ms: await beginOf(history, reading), begin_due: false };
			keep(history);
		}
		const { from_ms: known } = history;
		const end = oldestWanted(history, reading);
		if (known <= end) return history;
		const start = Math.max(end, known - reading.window_ms);
		const older = await reading.page(start, known);
		const begin_due = history.begin_ms === null && suggestsBegin(older, start, known, reading);
		history = { ...history, columns: reading.merge(history.columns, older), from_ms: start, begin_due };
		keep(history);
	}
}

const oldestWanted = <Columns>({ begin_ms }: KeptHistory<Columns>, { from_ms }: HistoryReading<Columns>): number =>
	Math.max(from_ms, begin_ms ?? Number.NEGATIVE_INFINITY);

async function firstPage<Columns>(reading: HistoryReading<Columns>): Promise<KeptHistory<Columns>> {
	const start = Math.max(reading.from_ms, reading.to_ms - reading.window_ms);
	const columns = await reading.page(start, reading.to_ms);
	const begin_due = suggestsBegin(columns, start, reading.to_ms, reading);
	const whole_at_ms = reading.to_ms;
	return { columns, from_ms: start, to_ms: settledAt(columns, start, reading), begin_ms: null, begin_due, whole_at_ms };
}

/** The first tenth of a whole window [fromMs, toMs) is empty: there the market may have begun, or have a long gap. */
function suggestsBegin<Columns>(
	page: Columns,
	fromMs: number,
	toMs: number,
	{ window_ms, spacing_ms = 0, first }: HistoryReading<Columns>,
): boolean {
	if (toMs - fromMs < window_ms) return false;
	const oldest = first(page);
	return oldest === null || oldest - fromMs > Math.max(window_ms / 10, spacing_ms);
}

/** The begin of a market that a page suggested: an exchange that can tell its oldest datum is asked. */
async function beginOf<Columns>(
	{ columns, from_ms }: KeptHistory<Columns>,
	reading: HistoryReading<Columns>,
): Promise<number | null> {
	const oldestKnown = reading.first(columns);
	// A market that trades and shows nothing has no history of this kind; one that ended may have had it long ago.
	if (oldestKnown === null && !reading.ended) return from_ms;
	if (reading.oldest === null) return oldestKnown === null ? null : from_ms;
	const oldest = (await reading.oldest()) ?? oldestKnown;
	return oldest === null ? from_ms : Math.min(oldest, oldestKnown ?? oldest);
}

const settledAt = <Columns>(columns: Columns, fromMs: number, reading: HistoryReading<Columns>): number =>
	Math.min(reading.to_ms, Math.max(fromMs, reading.settled(columns)));

async function newerPages<Columns>(
	kept: KeptHistory<Columns>,
	reading: HistoryReading<Columns>,
): Promise<KeptHistory<Columns>> {
	let columns = kept.columns;
	for (let from = kept.to_ms; from < reading.to_ms; from += reading.window_ms) {
		columns = reading.merge(columns, await reading.page(from, Math.min(reading.to_ms, from + reading.window_ms)));
	}
	if (columns === kept.columns) return kept;
	return { ...kept, columns, to_ms: Math.max(kept.to_ms, settledAt(columns, kept.from_ms, reading)) };
}

/** Histories of one exchange in memory; those that were not asked for longest go first. */
const HISTORY_BYTES_MAX = 64 * 1024 * 1024;
/** Keys and objects beside the columns, roughly. */
const ENTRY_BYTES = 512;

export interface Histories<Columns extends object> {
	read(key: string, reading: HistoryReading<Columns>): Promise<Columns>;
}

/**
 * Histories that are read one page at a time, each by one reader at a time: who comes later goes on from the pages of who
 * came first. A reader that gives up loses at most the page that is under way.
 */
export function createHistories<Columns extends object>(bytesMax = HISTORY_BYTES_MAX): Histories<Columns> {
	const store = new ByteLru<KeptHistory<Columns>>(bytesMax);
	const readers = new Map<string, Promise<unknown>>();
	return {
		async read(key, reading) {
			const before = readers.get(key);
			const read = async (): Promise<Columns> => {
				await before;
				const keep = (history: KeptHistory<Columns>) => store.set(key, history, bytesOf(history.columns));
				const kept = store.get(key) ?? null;
				// The exchange may have revised what it said of the past.
				const current = kept && reading.to_ms - kept.whole_at_ms < WHOLE_EVERY_MS / 2 ? kept : null;
				return (await readHistory(current, reading, keep)).columns;
			};
			const own = read();
			const settled = own.then(
				() => undefined,
				() => undefined,
			);
			readers.set(key, settled);
			void settled.then(() => {
				if (readers.get(key) === settled) readers.delete(key);
			});
			return own;
		},
	};
}

const bytesOf = (columns: object): number =>
	Object.values(columns).reduce<number>(
		(sum, column) => sum + (ArrayBuffer.isView(column) ? column.byteLength : 0),
		ENTRY_BYTES,
	);
