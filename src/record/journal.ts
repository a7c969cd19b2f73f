/** What a recording set out to do and which of its files are whole, so that it can be stopped anywhere. */
import { appendFile, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { RecordError } from "./client.ts";
import { damagedFiles, type FileFacts, replaceFile } from "./files.ts";
import type { RecordRequest, Venue } from "./options.ts";

export const MANIFEST_FILE = "MANIFEST.json";
const JOURNAL_FILE = ".recording.jsonl";
/** Damaged files that an error names one by one. */
const DAMAGED_NAMED = 5;

/** Fixed at the first start; a later start of the same request goes on with it. */
export interface RecordPlan {
	request: RecordRequest;
	as_of_ms: number;
	/** Ids of the markets to be recorded. */
	markets: Partial<Record<Venue, string[]>>;
}

/** A file that is whole, or one that was found to have no rows and is not written. */
export type Outcome = FileFacts | { file: string; rows: 0 };

export interface Manifest {
	as_of: string;
	request: RecordRequest;
	files: FileFacts[];
	/** Files without rows: the exchange has nothing there. */
	empty: string[];
}

export interface Journal {
	plan: RecordPlan;
	outcome(file: string): Outcome | undefined;
	note(outcome: Outcome): Promise<void>;
	/** Writes the manifest and ends the journal. */
	finish(): Promise<Manifest>;
}

const requestSchema = z.object({ exchanges: z.array(z.string()) });
const planSchema = z.object({
	request: requestSchema,
	as_of_ms: z.number(),
	markets: z.record(z.string(), z.array(z.string())),
});
const outcomeSchema = z.object({ file: z.string(), rows: z.number() });
const manifestSchema = z.object({
	as_of: z.string(),
	request: requestSchema,
	files: z.array(outcomeSchema),
	empty: z.array(z.string()),
});

const textOf = async (file: string): Promise<string | null> => {
	try {
		return await readFile(file, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
};

/** The value as it stands in the text, its members in their order; null when it has another form. */
function parsed(schema: z.ZodType, text: string): unknown {
	try {
		const value: unknown = JSON.parse(text);
		return schema.safeParse(value).success ? value : null;
	} catch {
		return null;
	}
}

const sameRequest = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The finished recording of this request in the folder; null: none. Throws RecordError for another one's, and for
 * files that are not any more what was recorded.
 */
export async function finishedIn(dir: string, request: RecordRequest): Promise<Manifest | null> {
	const text = await textOf(path.join(dir, MANIFEST_FILE));
	if (text === null) return null;
	const manifest = parsed(manifestSchema, text) as Manifest | null;
	if (manifest === null || !sameRequest(manifest.request, request)) {
		throw new RecordError(
			`${dir} holds another data set already (${MANIFEST_FILE}): choose a folder of its own`,
			"stop",
		);
	}
	const damaged = await damagedFiles(dir, manifest.files);
	if (damaged.length > 0) {
		const names = damaged.slice(0, DAMAGED_NAMED).join(", ");
		const problem = `${dir}: ${damaged.length} files are not what ${MANIFEST_FILE} says (${names})`;
		throw new RecordError(`${problem}; delete ${MANIFEST_FILE} to record them again`, "stop");
	}
	return manifest;
}

/**
 * The journal in the folder, or a new one of the plan that `makePlan` gives. Throws RecordError when the folder is
 * that of another request.
 */
export async function openJournal(
	dir: string,
	request: RecordRequest,
	makePlan: () => Promise<RecordPlan>,
): Promise<Journal> {
	const file = path.join(dir, JOURNAL_FILE);
	const known = await readJournal(file);
	if (known !== null && !sameRequest(known.plan.request, request)) {
		throw new RecordError(`${dir} holds the beginning of another recording: choose a folder of its own`, "stop");
	}
	const plan = known?.plan ?? (await makePlan());
	const outcomes = known?.outcomes ?? new Map<string, Outcome>();
	// Written anew in any case: a line that a dying process left half-written must not grow.
	await mkdir(dir, { recursive: true });
	await replaceFile(dir, JOURNAL_FILE, linesOf([plan, ...outcomes.values()]));
	return {
		plan,
		outcome: (name) => outcomes.get(name),
		async note(outcome) {
			outcomes.set(outcome.file, outcome);
			await appendFile(file, linesOf([outcome]));
		},
		async finish() {
			const manifest = manifestOf(plan, [...outcomes.values()]);
			await replaceFile(dir, MANIFEST_FILE, `${JSON.stringify(manifest, null, 1)}\n`);
			await rm(file, { force: true });
			return manifest;
		},
	};
}

const linesOf = (entries: readonly unknown[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

async function readJournal(file: string): Promise<{ plan: RecordPlan; outcomes: Map<string, Outcome> } | null> {
	const text = await textOf(file);
	const [first = "", ...rest] = (text ?? "").split("\n");
	const plan = parsed(planSchema, first) as RecordPlan | null;
	if (plan === null) return null;
	const outcomes = new Map<string, Outcome>();
	for (const line of rest) {
		const outcome = parsed(outcomeSchema, line) as Outcome | null;
		if (outcome !== null) outcomes.set(outcome.file, outcome);
	}
	const whole = [...outcomes.values()].filter((outcome) => "sha256" in outcome);
	for (const damaged of await damagedFiles(path.dirname(file), whole)) outcomes.delete(damaged);
	return { plan, outcomes };
}

/** In the order of the names, so that it does not tell how often the recording was stopped. */
function manifestOf(plan: RecordPlan, outcomes: readonly Outcome[]): Manifest {
	const byName = (a: string, b: string) => (a < b ? -1 : 1);
	return {
		as_of: new Date(plan.as_of_ms).toISOString(),
		request: plan.request,
		files: outcomes.filter((outcome) => "sha256" in outcome).sort((a, b) => byName(a.file, b.file)),
		empty: outcomes
			.filter((outcome) => outcome.rows === 0)
			.map(({ file }) => file)
			.sort(byName),
	};
}
