import type { ScanEvent, StrategyReport } from "../../machines/events.ts";
import type { Outcome } from "./effect-runner.ts";
import { attach, type Pending } from "./scan-commit.ts";

/** Outcomes as events for the machine; neighbouring reports become one: one transition instead of up to fourteen. */
export function bundle(outcomes: readonly Outcome[], pending: Pending): ScanEvent[] {
	const events: ScanEvent[] = [];
	let reports: StrategyReport[] = [];
	let at_ms = 0;
	const flush = () => {
		if (reports.length > 0) events.push({ type: "strategies.reported", at_ms, reports });
		reports = [];
	};
	for (const outcome of outcomes) {
		attach(pending, outcome.attachments);
		if (outcome.kind === "report") {
			reports.push(outcome.report);
			at_ms = outcome.at_ms;
			continue;
		}
		flush();
		events.push(outcome.event);
	}
	flush();
	return events;
}
