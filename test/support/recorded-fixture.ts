import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** The shared development data set, read in place and never copied. */
export const REAL_DATA_DIR = path.resolve("../shared/market");

/** File name below the data set -> text; names ending in .gz are compressed, a Buffer is written as it is. */
export type FixtureFiles = Record<string, string | Buffer>;

export interface RecordedFixture {
	dir: string;
	remove(): Promise<void>;
}

/** A small data set in a temporary folder. */
export async function writeRecordedFixture(files: FixtureFiles): Promise<RecordedFixture> {
	const dir = await mkdtemp(path.join(tmpdir(), "lookout-recorded-"));
	for (const [name, content] of Object.entries(files)) {
		const file = path.join(dir, name);
		await mkdir(path.dirname(file), { recursive: true });
		const bytes = typeof content === "string" && name.endsWith(".gz") ? gzipSync(content) : content;
		await writeFile(file, bytes);
	}
	return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** CSV text of `count` candles from `startMs`; `skip` leaves some out. */
export function candlesCsv(
	startMs: number,
	stepMs: number,
	count: number,
	options: { skip?: readonly number[]; price?: number } = {},
): string {
	const price = options.price ?? 100;
	const rows = ["open_time,open,high,low,close,volume"];
	for (let i = 0; i < count; i++) {
		if (options.skip?.includes(i)) continue;
		rows.push(`${startMs + i * stepMs},${price + i},${price + i + 2},${price + i - 1},${price + i + 1},10`);
	}
	return `${rows.join("\n")}\n`;
}

export interface FixtureContract {
	symbol: string;
	quoteVolume: number;
	fundingIntervalHours?: number;
	openInterestValue?: number;
}

/** A universe snapshot whose open interest is three hours older than its prices. */
export function universeJson(asOfMs: number, contracts: readonly FixtureContract[]): string {
	return JSON.stringify({
		asOf: new Date(asOfMs).toISOString(),
		asOfMs,
		openInterestAsOfMs: asOfMs - 3 * 3_600_000,
		symbols: contracts.map((contract) => ({
			symbol: contract.symbol,
			openTime: asOfMs - 86_400_000,
			closeTime: asOfMs - 1,
			lastPrice: 2,
			quoteVolume: contract.quoteVolume,
			openInterest: 10,
			openInterestValue: contract.openInterestValue ?? 20,
			fundingIntervalHours: contract.fundingIntervalHours ?? 8,
		})),
	});
}
