import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { debugReply, historyReply, lifecycleReply } from "../../src/api/schemas/diagnostics.ts";
import { resultsFailedExtra, resultsPendingReply, resultsReply } from "../../src/api/schemas/results.ts";
import { statusReply } from "../../src/api/schemas/scan.ts";
import { debugFields } from "../../src/views/debug-fields.ts";
import { debugView, lifecycleView } from "../../src/views/diagnostics.ts";
import { historyEntry } from "../../src/views/history.ts";
import { lifecycleFields } from "../../src/views/lifecycle-fields.ts";
import { endedBadlyExtra, resultsView } from "../../src/views/results.ts";
import { orderRows } from "../../src/views/rows.ts";
import { resultsPendingView, statusView } from "../../src/views/status.ts";
import { stepView } from "../../src/views/steps.ts";
import { storedStepText } from "../../src/views/stored-steps.ts";
import { verdictObjects } from "../../src/views/verdict.ts";
import { positionOf } from "../../src/views/words.ts";
import { conforms, isCompact, momentsHaveMilliseconds } from "../support/conform.ts";
import { moves, play, type Revision, textsOf } from "../support/journeys.ts";

const journeys = suite("views of journeys of the real machine");
const RUNS = { numRuns: 60 };

const statusOf = ({ record }: Revision) => {
	const text = statusView(record, orderRows(textsOf(record).rows).slice(0, 10), record.progress_at_ms + 10, []);
	return { text, body: JSON.parse(text) };
};

const everyRevision = (check: (revision: Revision, revisions: Revision[]) => void) =>
	fc.assert(
		fc.property(moves, (list) => {
			const revisions = play(list);
			for (const revision of revisions) check(revision, revisions);
		}),
		RUNS,
	);

journeys("status fits its schema, is compact and its nine counts sum to the total, in every state", () => {
	everyRevision((revision) => {
		const { text, body } = statusOf(revision);
		isCompact(text);
		momentsHaveMilliseconds(text);
		conforms(statusReply, body);
		const counts = Object.values(body.progress.verdicts as Record<string, number>);
		assert.is(counts.length, 9);
		assert.is(
			counts.reduce((sum, count) => sum + count, 0),
			body.progress.total_strategies,
		);
		assert.is(body.progress.strategies_completed <= body.progress.total_strategies, true);
		if (body.state === "complete") assert.is(body.progress.percentage, 100);
		if (body.status === "scanning") assert.is(body.progress.percentage <= 99, true);
		assert.is(body.success, body.status !== "failed");
		assert.is(body.outcome === null, body.state !== "complete");
		if (revision.record.terminal) assert.is(body.estimated_time_remaining_seconds, 0);
	});
});

journeys("counters never fall and the total is fixed once known (I4, F4)", () => {
	fc.assert(
		fc.property(moves, (list) => {
			let last: ReturnType<typeof statusOf>["body"] | null = null;
			for (const revision of play(list)) {
				const { body } = statusOf(revision);
				if (last) {
					assert.is(body.progress.strategies_completed >= last.progress.strategies_completed, true);
					assert.is(
						body.progress.percentage >= last.progress.percentage,
						true,
						`${last.progress.percentage} -> ${body.progress.percentage}`,
					);
					assert.is(body.progress.opportunities_found_so_far >= last.progress.opportunities_found_so_far, true);
					if (last.progress.total_strategies > 0)
						assert.is(body.progress.total_strategies, last.progress.total_strategies);
					assert.is(body.revision > last.revision, true);
				}
				last = body;
			}
		}),
		RUNS,
	);
});

journeys("every verdict of an ended scan balances its universe (I8)", () => {
	everyRevision(({ record }) => {
		if (!record.terminal) return;
		for (const verdict of verdictObjects(record.context.strategies)) {
			const rejected = Object.values(verdict.rejected).reduce((sum, count) => sum + count, 0);
			assert.is(verdict.evaluated, verdict.published + verdict.unproven + rejected);
			assert.is.not(verdict.verdict, null);
		}
	});
});

journeys("results exist only for a complete scan; 202 and 409 fit their schemas", () => {
	everyRevision(({ record }) => {
		const { rows, unproven } = textsOf(record);
		if (record.position === "completed") {
			const text = resultsView({ record, rows, unproven, recommendations: [] });
			isCompact(text);
			momentsHaveMilliseconds(text);
			const body = JSON.parse(text);
			conforms(resultsReply, body);
			assert.is(body.total_opportunities, body.opportunities.length);
			assert.is(body.metadata.scan_duration_seconds, body.execution_time_ms / 1000);
			assert.is("error" in body, false);
			assert.equal(
				Object.keys(body.strategy_performance),
				record.context.strategies.map((entry) => entry.strategy_id),
			);
			const shown = Object.values(body.signal_analysis.signals_by_strength as Record<string, number>).reduce(
				(a, b) => a + b,
				0,
			);
			assert.is(shown, body.total_opportunities);
		} else if (record.terminal) {
			const extra = endedBadlyExtra(record, rows);
			conforms(resultsFailedExtra, JSON.parse(JSON.stringify(extra)));
			assert.is(extra.opportunities.length, rows.length);
		} else {
			const text = resultsPendingView(record, rows.slice(0, 10), record.progress_at_ms, []);
			isCompact(text);
			conforms(resultsPendingReply, JSON.parse(text));
		}
	});
});

journeys("only outcome empty says that there are no opportunities; incomplete names who did not answer", () => {
	everyRevision(({ record }) => {
		const { body } = statusOf({ record } as Revision);
		if (record.position !== "completed") return;
		assert.is(/no opportunities/i.test(body.message), body.outcome === "empty");
		if (body.outcome === "incomplete") {
			for (const verdict of verdictObjects(record.context.strategies)) {
				if (["degraded", "failed", "timed_out"].includes(verdict.verdict ?? ""))
					assert.is(body.message.includes(verdict.strategy_name), true);
			}
		}
	});
});

journeys("hashes written commit by commit give the lifecycle and debug views", () => {
	everyRevision((revision) => {
		const { record, lifecycle, debug } = revision;
		assert.is(positionOf(record.context), record.position);
		const text = lifecycleView(record, lifecycle, record.progress_at_ms, 120_000);
		isCompact(text);
		const body = JSON.parse(text);
		conforms(lifecycleReply, body);
		assert.is(body.current_phase, record.position);
		if (record.position === "queued") assert.equal(body.phases, {});
		if (record.position === "completed") assert.is(body.current_status, "completed");
		if (record.terminal) {
			for (const phase of Object.values(body.phases as Record<string, { status: string }>))
				assert.is.not(phase.status, "in_progress");
		}
		const steps = debugView(record, debug, record.progress_at_ms) as Record<string, never>;
		conforms(debugReply, JSON.parse(JSON.stringify(steps)));
		conforms(historyReply.shape.scans.element, JSON.parse(JSON.stringify(historyEntry(record))));
	});
});

journeys("steps agree with the record: complete scans closed all thirteen, failed ones name the step", () => {
	everyRevision(({ record, debug }) => {
		const body = JSON.parse(JSON.stringify(debugView(record, debug, record.progress_at_ms)));
		const steps: { step: number; status: string }[] = Object.values(body.steps);
		// However short a step is stored, it is shown whole.
		for (const { timestamp: _, ...step } of Object.values<{ step: number; timestamp: string }>(body.steps)) {
			const { timestamp: __, ...whole } = stepView(record.context, step.step, 0) ?? {};
			assert.equal(step, JSON.parse(JSON.stringify(whole)));
			const entry = record.context.strategies[step.step - 100];
			if (entry?.state === "evaluating") continue;
			const stored = storedStepText(record.context, step.step, 5);
			assert.is(stored, JSON.stringify(stepView(record.context, step.step, 5)), "member by member in the same order");
		}
		assert.is(body.total_steps, steps.length);
		assert.is(body.expected_steps, 13 + record.context.input.strategies.length);
		if (record.position === "completed") {
			assert.is(body.total_steps, body.expected_steps);
			assert.is(body.failure_info, null);
			assert.is(body.overall_status, "completed");
			assert.is(body.current_step, 13);
		}
		if (record.terminal)
			assert.is(
				steps.some((step) => step.status === "starting"),
				false,
			);
		if (record.position === "failed") {
			assert.is(body.failure_info.error_type, record.context.end?.error?.code);
			if (body.failure_info.step !== null) assert.is(body.failed_steps.includes(body.failure_info.step), true);
		} else assert.is(body.failure_info, null);
	});
});

journeys("projections are idempotent, and a full one equals the sum of the commits but for timestamps", () => {
	const timeless = (hash: Record<string, string>) => {
		const { last_updated: _time, ...fields } = hash;
		return Object.fromEntries(
			Object.entries(fields).map(([field, text]) => [field, text.replace(/"timestamp":"[^"]*",/, "")]),
		);
	};
	fc.assert(
		fc.property(moves, (list) => {
			let previous: Revision | undefined;
			for (const revision of play(list)) {
				const { record, entries } = revision;
				const before = previous?.record.context ?? null;
				assert.equal(
					lifecycleFields(before, record.context, entries),
					lifecycleFields(before, record.context, entries),
				);
				assert.equal(timeless(lifecycleFields(null, record.context, [])), timeless(revision.lifecycle));
				assert.equal(timeless(debugFields(null, record.context, [])), timeless(revision.debug));
				previous = revision;
			}
		}),
		RUNS,
	);
});

journeys.run();
