import type { ScanContext, StrategyEntry } from "../../machines/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import { isoOf } from "../clock.ts";
import { filled, type Pattern, patternOf } from "../field-patterns.ts";
import { FIXED_STEPS, STATUS_OF_VERDICT, STEP_NAMES, STRATEGY_STEP_BASE, stepName, stepView } from "./steps.ts";
import { isoOrNull } from "./words.ts";

/**
 * Steps as their hash holds them, JSON: of a strategy that has only begun, no more than what its plan does not say. All
 * strategies begin at once and end soon after, so a whole step for each beginning would be written to be overwritten.
 * Steps of one kind are told as a pattern and words: they are nearly a third of all text that a scan keeps.
 */

/** A step as the words between the texts of its kind, in the order of a step's members. */
interface Stored {
	texts: readonly string[];
	words: string[];
}

const BEGUN: readonly string[] = [
	'{"step":',
	',"name":',
	',"status":"starting","timestamp":"',
	'","started_at":"',
	'","attempt":',
	',"opportunities_found":',
	"}",
];

/** For words without anything that JSON would escape. */
const quoted = (word: string | null): string => (word === null ? "null" : `"${word}"`);

/** Texts that name the scan, made once for each. */
interface Kinds {
	strategy: readonly string[];
	/** Steps that are begun and done in the same moment, from the one after the last phase on. */
	done: readonly string[];
}

const kinds = new WeakMap<ScanContext["input"], Kinds>();

function kindsOf({ input }: ScanContext): Kinds {
	let held = kinds.get(input);
	if (held === undefined) {
		const owner = `"user_id":${JSON.stringify(input.user_id)},"scan_id":${JSON.stringify(input.scan_id)}`;
		const times = [`",${owner},"started_at":`, ',"ended_at":', ',"execution_time_ms":'];
		const strategy = ['{"step":', ',"name":', ',"status":"', '","timestamp":"', ...times, ',"strategy_id":'];
		strategy.push(',"strategy_index":', ',"opportunities_found":', ',"verdict":', ',"attempt":', ',"is_timeout":');
		strategy.push(',"is_cancelled":', ',"error":', ',"error_type":', "}");
		const done = ['{"step":', ',"name":', ',"status":"completed","timestamp":"', `",${owner},"started_at":"`];
		done.push('","ended_at":"', '","execution_time_ms":0', ',"error":null,"error_type":null}');
		held = { strategy, done };
		kinds.set(input, held);
	}
	return held;
}

/** As JSON: the strategy's id and the name of its step. The catalogue's are told with every scan. */
const namesAsJson = (strategyId: string) => ({
	id: JSON.stringify(strategyId),
	name: JSON.stringify(stepName(strategyId)),
});
const CATALOGUE_NAMES = new Map(CATALOGUE.map(({ id }) => [id as string, namesAsJson(id)]));
const namesOf = (strategyId: string) => CATALOGUE_NAMES.get(strategyId) ?? namesAsJson(strategyId);

/** Null: the strategy has not been begun. */
function strategyStep(context: ScanContext, entry: StrategyEntry, step: number, atMs: number): Stored | null {
	const { strategy_id, verdict, started_at_ms: started, ended_at_ms: ended, error, attempt, tally } = entry;
	if (started === null && verdict === null) return null;
	const { id, name } = namesOf(strategy_id);
	const found = String(tally.row_ids.length);
	if (entry.state === "evaluating" && !error && started !== null) {
		return { texts: BEGUN, words: [String(step), name, isoOf(atMs), isoOf(started), String(attempt), found] };
	}
	const words = [
		String(step),
		name,
		verdict === null ? "starting" : STATUS_OF_VERDICT[verdict],
		isoOf(atMs),
		quoted(isoOrNull(started)),
		quoted(isoOrNull(ended)),
		started === null || ended === null ? "null" : String(ended - started),
		id,
		String(entry.index),
		found,
		quoted(verdict),
		String(attempt),
		String(verdict === "timed_out"),
		String(verdict === "cancelled"),
		error ? JSON.stringify(error.message) : "null",
		error ? JSON.stringify(error.code) : "null",
	];
	return { texts: kindsOf(context).strategy, words };
}

const DONE_FROM = 8;

/** The last steps of a completed scan. Null: it is another one. */
function doneStep(context: ScanContext, step: number, atMs: number): Stored | null {
	if (step < DONE_FROM || step > FIXED_STEPS) return null;
	const view = stepView(context, step, atMs);
	if (!view) return null;
	const { started_at, ended_at, opportunities, strategies } = view;
	const extras = opportunities === undefined ? "" : `,"opportunities":${opportunities},"strategies":${strategies}`;
	const words = [String(step), JSON.stringify(STEP_NAMES[step]), isoOf(atMs), String(started_at), String(ended_at)];
	return { texts: kindsOf(context).done, words: [...words, extras] };
}

const knownStep = (context: ScanContext, number: number, atMs: number): Stored | null | undefined => {
	const entry = number >= STRATEGY_STEP_BASE ? context.strategies[number - STRATEGY_STEP_BASE] : undefined;
	if (entry) return strategyStep(context, entry, number, atMs);
	return doneStep(context, number, atMs) ?? undefined;
};

/** Step `number` as its hash holds it; null when it has not been reached. `atMs`: last change. */
export function storedStepText(context: ScanContext, number: number, atMs: number): string | null {
	const known = knownStep(context, number, atMs);
	if (known) return filled(known.texts, known.words);
	const step = known === null ? null : stepView(context, number, atMs);
	return step && JSON.stringify(step);
}

/** Fields of the hash for steps by number and moment of their last change: those of a kind as patterns, others whole. */
export function storedSteps(
	context: ScanContext,
	changed: ReadonlyMap<number, number>,
): { fields: Record<string, string>; patterns: Pattern[] } {
	const fields: Record<string, string> = {};
	const byTexts = new Map<readonly string[], string[][]>();
	for (const [number, atMs] of changed) {
		const known = knownStep(context, number, atMs);
		if (known) {
			const rows = byTexts.get(known.texts);
			if (rows) rows.push(known.words);
			else byTexts.set(known.texts, [known.words]);
		} else if (known === undefined) {
			const step = stepView(context, number, atMs);
			if (step) fields[`step_${number}`] = JSON.stringify(step);
		}
	}
	const patterns: Pattern[] = [];
	for (const [texts, rows] of byTexts) {
		const [lone] = rows;
		if (lone && rows.length === 1) fields[`step_${lone[0]}`] = filled(texts, lone);
		else patterns.push(patternOf({ prefix: "step_", texts, rows }));
	}
	return { fields, patterns };
}

/** A stored step with all members that a step has. */
export function wholeStep<T extends { step: number }>({ input }: ScanContext, stored: T): T {
	const plan = input.strategies[stored.step - STRATEGY_STEP_BASE];
	if (!plan || "user_id" in stored) return stored;
	const { step, name, status, timestamp, started_at, attempt, opportunities_found } = stored as Record<string, unknown>;
	const whole = {
		...{ step, name, status, timestamp, user_id: input.user_id, scan_id: input.scan_id, started_at },
		...{ ended_at: null, execution_time_ms: null, strategy_id: plan.strategy_id, strategy_index: plan.index },
		...{ opportunities_found, verdict: null, attempt, is_timeout: false, is_cancelled: false },
		...{ error: null, error_type: null },
	};
	return whole as unknown as T;
}
