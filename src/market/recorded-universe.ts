import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { RecordedFileError } from "./recorded-csv.ts";

const row = z.object({
	symbol: z.string().min(1),
	/** Last millisecond of the 24 h window. */
	closeTime: z.number().int(),
	lastPrice: z.number().positive(),
	quoteVolume: z.number().nonnegative(),
	openInterest: z.number().nonnegative().nullable(),
	openInterestValue: z.number().nonnegative().nullable(),
	fundingIntervalHours: z.number().positive().nullable(),
});
const snapshot = z.object({
	asOfMs: z.number().int(),
	openInterestAsOfMs: z.number().int(),
	symbols: z.array(row),
});

/** One contract in a universe snapshot. Each field group carries the time it was true. */
export interface UniverseRow {
	id: string;
	/** Exclusive end of the 24 h window, epoch ms. */
	ticker_at_ms: number;
	last: number;
	volume_usd_24h: number;
	open_interest_at_ms: number;
	open_interest_usd: number | null;
	open_interest_base: number | null;
	/** Observed up to the snapshot's own time. */
	interval_at_ms: number;
	funding_interval_hours: number | null;
}

export interface UniverseSnapshot {
	as_of_ms: number;
	rows: ReadonlyMap<string, UniverseRow>;
}

/** Reads one universe snapshot. Throws RecordedFileError naming the file and the first wrong field. */
export async function readUniverse(dir: string, file: string): Promise<UniverseSnapshot> {
	let parsed: unknown;
	try {
		parsed = JSON.parse(await readFile(path.join(dir, file), "utf8"));
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		throw new RecordedFileError(file, code ? `cannot be read (${code})` : "is not JSON");
	}
	const checked = snapshot.safeParse(parsed);
	if (!checked.success) {
		const issue = checked.error.issues[0];
		throw new RecordedFileError(file, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "has another form"}`);
	}
	const { asOfMs, openInterestAsOfMs, symbols } = checked.data;
	const rows = symbols.map(
		(entry): UniverseRow => ({
			id: entry.symbol,
			ticker_at_ms: entry.closeTime + 1,
			last: entry.lastPrice,
			volume_usd_24h: entry.quoteVolume,
			open_interest_at_ms: openInterestAsOfMs,
			open_interest_usd: entry.openInterestValue,
			open_interest_base: entry.openInterest,
			interval_at_ms: asOfMs,
			funding_interval_hours: entry.fundingIntervalHours,
		}),
	);
	return { as_of_ms: asOfMs, rows: new Map(rows.map((entry) => [entry.id, entry])) };
}
