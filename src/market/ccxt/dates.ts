import type { Clock } from "../../clock.ts";

/** The exchange's time as the Date headers of its answers tell it, in whole seconds. */
export interface AnswerDates {
	/** Told of each answer as it is there. */
	note(headers: Headers): void;
	/** The exchange's time, epoch ms, behind by a second and an answer's way at most; null: no answer has told it. */
	now(): number | null;
}

export function createAnswerDates(clock: Clock): AnswerDates {
	let told: { server_ms: number; local_ms: number } | null = null;
	return {
		note(headers) {
			const server_ms = Date.parse(headers.get("date") ?? "");
			if (Number.isFinite(server_ms)) told = { server_ms, local_ms: clock.now() };
		},
		now: () => told && told.server_ms + Math.max(0, clock.now() - told.local_ms),
	};
}
