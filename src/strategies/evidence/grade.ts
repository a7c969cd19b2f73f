import type { Grade } from "../contract.ts";

export interface GradeInput {
	trades: number;
	meanNet: number | null;
	effectiveTrades: number;
	/** Lower end of the 90 % bootstrap interval of the mean. */
	bootstrapLow: number | null;
	pPlacebo: number | null;
	/** The universe was chosen with knowledge of how it ended. */
	hindsight: boolean;
	/** Stated probabilities no longer hold (reliability.ts): the grade falls by one. */
	drifted: boolean;
}

/** Evidence grade: the first that fits. */
export function gradeOf(input: GradeInput): Grade {
	const { meanNet, effectiveTrades, bootstrapLow, pPlacebo } = input;
	if (input.trades === 0 || meanNet === null) return "C";
	if (meanNet <= 0) return "D";
	let grade: Grade = "C";
	if (bootstrapLow !== null && bootstrapLow > 0 && pPlacebo !== null) {
		if (effectiveTrades >= 100 && pPlacebo < 0.05) grade = "A";
		else if (effectiveTrades >= 30 && pPlacebo < 0.1) grade = "B";
	}
	if (input.drifted) grade = lower(grade);
	// The cap is an upper bound, not a second deduction: it is applied last.
	return grade === "A" && input.hindsight ? "B" : grade;
}

/**
 * Grade of a measured frequency (risk, portfolio, hedge): `low` is Wilson's lower end, `windows`
 * counts windows that do not overlap.
 */
export function frequencyGrade(frequency: number, low: number, windows: number, hindsight: boolean): Grade {
	if (windows === 0) return "C";
	if (frequency <= 0.5) return "D";
	if (low <= 0.5 || windows < 30) return "C";
	return windows >= 100 && !hindsight ? "A" : "B";
}

/** Drift does not turn a positive expectancy into a negative one: C stays C. */
const lower = (grade: Grade): Grade => (grade === "A" ? "B" : "C");
