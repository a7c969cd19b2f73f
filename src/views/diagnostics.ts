import type { ScanContext } from "../../machines/types.ts";
import { PHASES } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import { debugFields } from "./debug-fields.ts";
import { spliceJson } from "./json.ts";
import { lifecycleFields } from "./lifecycle-fields.ts";
import { brokenPhase } from "./phases.ts";
import { FIXED_STEPS, PHASE_OF_STEP } from "./steps.ts";
import { wholeStep } from "./stored-steps.ts";
import { stuckVerdict } from "./stuck.ts";
import { lifecycleKey } from "./words.ts";

type Hash = Readonly<Record<string, string>>;

/** A scan written before its projection existed is shown from its record. */
const orProjected = (hash: Hash, project: () => Record<string, string>): Hash =>
	Object.keys(hash).length > 0 ? hash : project();

/** Body of scan-lifecycle as compact JSON: phases from the hash, liveness from the record. */
export function lifecycleView(record: ScanRecord, stored: Hash, nowMs: number, stuckAfterMs: number): string {
	const hash = orProjected(stored, () => lifecycleFields(null, record.context, []));
	const phases: Record<string, string> = {};
	for (const phase of PHASES) {
		const text = hash[phase];
		if (text !== undefined) phases[phase] = text;
	}
	const fields = {
		success: true,
		scan_id: record.scan_id,
		resolved_scan_id: record.scan_id,
		current_phase: hash.current_phase ?? record.position,
		current_status: hash.current_status ?? "in_progress",
		last_updated: hash.last_updated ?? isoOf(record.progress_at_ms),
		last_heartbeat_at: record.heartbeat_at_ms === null ? null : isoOf(record.heartbeat_at_ms),
		...stuckVerdict(record, nowMs, stuckAfterMs),
		redis_key: lifecycleKey(record.scan_id),
		recovered_from_index: false,
		timestamp: isoOf(nowMs),
	};
	return spliceJson(fields, { phases: spliceJson({}, phases) });
}

interface StoredStep {
	step: number;
	status: string;
	[member: string]: unknown;
}

/** Steps of the hash in ascending order. */
function readSteps(hash: Hash, context: ScanContext): StoredStep[] {
	return Object.entries(hash)
		.filter(([field]) => /^step_\d+$/.test(field))
		.map(([, text]) => wholeStep(context, JSON.parse(text) as StoredStep))
		.sort((a, b) => a.step - b.step);
}

/** The step that ended a failed scan; a scan that failed before any step names none. */
function failureInfo(record: ScanRecord, steps: readonly StoredStep[]): Record<string, unknown> | null {
	const error = record.context.end?.error;
	if (record.position !== "failed" || !error) return null;
	const broken = brokenPhase(record.context);
	const number = Number(Object.keys(PHASE_OF_STEP).find((key) => PHASE_OF_STEP[Number(key)] === broken) ?? Number.NaN);
	const step = steps.find((candidate) => candidate.step === number);
	return {
		step: step?.step ?? null,
		name: step?.name ?? null,
		status: step?.status ?? (record.context.end?.is_timeout ? "timed_out" : "failed"),
		error: error.message,
		error_type: error.code,
		timestamp: isoOf(record.context.end?.at_ms ?? record.progress_at_ms),
	};
}

function overallStatus(record: ScanRecord): "in_progress" | "completed" | "failed" | "cancelled" {
	const { position } = record;
	return position === "completed" || position === "failed" || position === "cancelled" ? position : "in_progress";
}

/** Body of scan-debug. */
export function debugView(record: ScanRecord, stored: Hash, nowMs: number): object {
	const hash = orProjected(stored, () => debugFields(null, record.context, []));
	const steps = readSteps(hash, record.context);
	const strategies = record.context.strategies.length || record.context.input.strategies.length;
	return {
		success: true,
		scan_id: record.scan_id,
		overall_status: overallStatus(record),
		current_step: Number(hash.current_step ?? 0),
		last_updated: hash.last_updated ?? isoOf(record.progress_at_ms),
		total_steps: steps.length,
		expected_steps: FIXED_STEPS + strategies,
		steps: Object.fromEntries(steps.map((step) => [String(step.step), step])),
		failed_steps: steps
			.filter((step) => step.status === "failed" || step.status === "timed_out")
			.map((step) => step.step),
		failure_info: failureInfo(record, steps),
		timestamp: isoOf(nowMs),
	};
}
