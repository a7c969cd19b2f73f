import type { RankingDocument } from "../effects/contract.ts";
import { ApiError } from "../errors.ts";
import type { ScanReader, ScanRecord } from "../store/contract.ts";
import { endedBadlyExtra, resultsView } from "../views/results.ts";
import { orderRows, symbolOf } from "../views/rows.ts";
import { PARTIAL_RESULTS_MAX } from "../views/status.ts";
import { unlessGone } from "./absent.ts";
import { createTextCache } from "./cache.ts";

const CACHE_ENTRIES_MAX = 500;
const CACHE_CHARACTERS_MAX = 32 * 1024 * 1024;

/** What of a scan has to be read beside its record. */
export interface ScanBodies {
	/** At most ten published rows, best first, compact JSON. */
	topRows(record: ScanRecord): Promise<readonly string[]>;
	/** The same of a state that is not the record's latest: nothing is remembered. */
	topRowsNow(record: ScanRecord): Promise<readonly string[]>;
	/** All rows so far, published in order and unproven, compact JSON. */
	allRows(record: ScanRecord): Promise<{ rows: readonly string[]; unproven: readonly string[] }>;
	/** Symbols of all rows so far; a row that names none adds none. */
	symbols(record: ScanRecord): Promise<string[]>;
	/** The results body of a terminal scan, compact JSON. */
	results(record: ScanRecord): Promise<string>;
	/** The 409 of a failed or cancelled scan. */
	endedBadly(record: ScanRecord): Promise<ApiError>;
}

/** A row that an id names is written in the id's own commit; its absence is a fault, not a gap. */
async function rowsOf(reader: ScanReader, record: ScanRecord, ids: readonly string[]): Promise<string[]> {
	if (ids.length === 0) return [];
	const rows = await reader.rows(record.scan_id, ids);
	if (rows.length !== ids.length) {
		await unlessGone(reader, record.scan_id);
		throw new Error(`scan ${record.scan_id}: ${ids.length - rows.length} of ${ids.length} rows are missing`);
	}
	return rows;
}

const foundIds = (record: ScanRecord): string[] => [
	...new Set(record.context.strategies.flatMap((entry) => entry.tally.row_ids)),
];
const unprovenIds = (record: ScanRecord): string[] => [
	...new Set(record.context.strategies.flatMap((entry) => entry.tally.unproven_ids)),
];

/** With its moment and position: a server that lost its last commits may see another one of the same number. */
const commitOf = ({ scan_id, revision, progress_at_ms, position }: ScanRecord): string =>
	`${scan_id}:${revision}:${progress_at_ms}:${position}`;

export function createBodies(reader: ScanReader): ScanBodies {
	const cache = createTextCache(CACHE_ENTRIES_MAX, CACHE_CHARACTERS_MAX);

	async function cached(
		record: ScanRecord,
		part: string,
		make: () => Promise<readonly string[]>,
	): Promise<readonly string[]> {
		const key = `${part}:${commitOf(record)}`;
		const held = cache.get(key);
		if (held) return held;
		const made = await make();
		cache.set(key, made);
		return made;
	}

	async function rankingOf(record: ScanRecord): Promise<RankingDocument | null> {
		if (!record.context.ranking) return null;
		const ranking = await reader.document<RankingDocument>(record.scan_id, "ranking");
		if (ranking === null) await unlessGone(reader, record.scan_id);
		return ranking;
	}

	/** Published rows so far in ranking's order, or in the same order made here before ranking ran. */
	async function rankedRows(record: ScanRecord, ranking: RankingDocument | null, limit?: number): Promise<string[]> {
		if (ranking) return rowsOf(reader, record, ranking.ranked.slice(0, limit));
		return orderRows(await rowsOf(reader, record, foundIds(record))).slice(0, limit);
	}

	async function rowsRanked(record: ScanRecord, ranking: RankingDocument | null) {
		const rows = await rankedRows(record, ranking);
		const unproven = await rowsOf(reader, record, ranking?.unproven ?? unprovenIds(record));
		return { rows, unproven };
	}
	const allRows = async (record: ScanRecord) => rowsRanked(record, await rankingOf(record));

	return {
		topRows: (record) =>
			cached(record, "top", async () => rankedRows(record, await rankingOf(record), PARTIAL_RESULTS_MAX)),

		topRowsNow: async (record) => rankedRows(record, await rankingOf(record), PARTIAL_RESULTS_MAX),
		allRows,
		async symbols(record) {
			const { rows, unproven } = await allRows(record);
			return [...rows, ...unproven].flatMap((row) => symbolOf(row) ?? []);
		},

		async results(record) {
			const texts = await cached(record, "results", async () => {
				const ranking = await rankingOf(record);
				const { rows, unproven } = await rowsRanked(record, ranking);
				return [resultsView({ record, rows, unproven, recommendations: ranking?.recommendations ?? [] })];
			});
			return texts[0] ?? "{}";
		},

		async endedBadly(record) {
			const code = record.position === "cancelled" ? "scan_cancelled" : "scan_failed";
			const extra = endedBadlyExtra(record, await rankedRows(record, await rankingOf(record)));
			return new ApiError(code, extra.message, extra);
		},
	};
}
