/** Files of the recorded layout: written whole or not at all, and read back as the program reads them. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { RecordedRow } from "./pages.ts";

/** Gaps listed one by one in the manifest; all of them are counted. */
const GAPS_LISTED = 100;

export interface Gap {
	/** The first and the last missing step. */
	from: string;
	to: string;
	missing: number;
}

/** What the manifest tells of a file. Times in ISO, rounded to nothing. */
export interface FileFacts {
	file: string;
	bytes: number;
	sha256: string;
	rows: number;
	columns: string;
	from: string;
	to: string;
	step_ms: number | null;
	missing: number;
	gaps: Gap[];
}

export const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Which of the files are not in the folder as they were written. */
export async function damagedFiles(dir: string, files: readonly FileFacts[]): Promise<string[]> {
	const damaged: string[] = [];
	for (const { file, sha256 } of files) {
		const bytes = await readFile(path.join(dir, file)).catch(() => null);
		if (bytes === null || sha256Of(bytes) !== sha256) damaged.push(file);
	}
	return damaged;
}

/** Puts the bytes in place of whatever was there; a process that dies leaves the old file or the new one. */
export async function replaceFile(dir: string, file: string, bytes: Buffer | string): Promise<void> {
	const target = path.join(dir, file);
	const draft = path.join(path.dirname(target), `.${path.basename(target)}.draft`);
	await mkdir(path.dirname(target), { recursive: true });
	try {
		await writeFile(draft, bytes, { flush: true });
		await rename(draft, target);
	} catch (error) {
		await rm(draft, { force: true });
		throw error;
	}
}

/**
 * Writes a table as compressed CSV. `check` reads the text as its readers will and throws for what they refuse;
 * nothing is written then. `stepMs` is the spacing that the rows should have, null where they have none.
 */
export async function writeTable(
	dir: string,
	file: string,
	columns: readonly string[],
	rows: readonly RecordedRow[],
	stepMs: number | null,
	check: (text: Buffer) => unknown,
): Promise<FileFacts> {
	const lines = [columns.join(","), ...rows.map(({ fields }) => fields.join(","))];
	// No time and no name goes into the header of the archive: the same rows are the same bytes.
	const bytes = gzipSync(`${lines.join("\n")}\n`);
	check(gunzipSync(bytes));
	await replaceFile(dir, file, bytes);
	const times = rows.map(({ time }) => time);
	return {
		file,
		bytes: bytes.length,
		sha256: sha256Of(bytes),
		rows: rows.length,
		columns: columns.join(","),
		from: isoOf(times[0] as number),
		to: isoOf(times.at(-1) as number),
		step_ms: stepMs,
		...gapsOf(times, stepMs),
	};
}

/** Steps that are missing between growing times. */
export function gapsOf(times: readonly number[], stepMs: number | null): { missing: number; gaps: Gap[] } {
	const found: Gap[] = [];
	let total = 0;
	for (let i = 1; stepMs !== null && i < times.length; i++) {
		const [before, after] = [times[i - 1] as number, times[i] as number];
		const missing = Math.round((after - before) / stepMs) - 1;
		if (missing < 1) continue;
		total += missing;
		if (found.length < GAPS_LISTED) found.push({ from: isoOf(before + stepMs), to: isoOf(after - stepMs), missing });
	}
	return { missing: total, gaps: found };
}
