import type { Clock } from "../../clock.ts";

/** A date is in whole seconds: the exchange's time is up to so much later. */
const DATE_STEP_MS = 1000;

/** The exchange's time as the Date headers of its answers tell it. */
export interface AnswerDates {
	/** Told of each answer as it is there. */
	note(headers: Headers): void;
	/** The exchange's time, epoch ms, behind by a second and an answer's way at most; null: no answer has told it. */
	now(): number | null;
	/** What the exchange says of its time, right after its answer: its dates may be those of a server before it. */
	told(serverMs: number): void;
	/** The exchange's time, epoch ms, at the most; null: it is not known how its dates and its time belong together. */
	atMost(): number | null;
}

export function createAnswerDates(clock: Clock): AnswerDates {
	let newest: { server_ms: number; local_ms: number } | null = null;
	let aheadMs: number | null = null;
	const now = () => newest && newest.server_ms + Math.max(0, clock.now() - newest.local_ms);
	return {
		note(headers) {
			const server_ms = Date.parse(headers.get("date") ?? "");
			if (Number.isFinite(server_ms)) newest = { server_ms, local_ms: clock.now() };
		},
		now,
		told(serverMs) {
			const date = now();
			aheadMs = date === null ? null : serverMs - date;
		},
		atMost() {
			const date = now();
			return date === null || aheadMs === null ? null : date + aheadMs + DATE_STEP_MS;
		},
	};
}

/**
 * Up to when, of `toMs`, bars have closed; `answered`: those of an answer that is just there, else of one to come. Our idea of
 * the exchange's clock may be wrong for up to a minute, as when the clock of this machine was set: when the dates of its
 * answers contradict it the exchange is asked, for a bar that was taken too early would be kept. Rejects as asking does.
 */
export type ClosedBy = (toMs: number, answered: boolean) => Promise<number>;

export function createClosedBy(clock: Clock, dates: AnswerDates, ask: () => Promise<number | null>): ClosedBy {
	let asking: Promise<number | null> | null = null;
	return async (toMs, answered) => {
		const atMostMs = dates.atMost();
		if (atMostMs === null || toMs <= atMostMs) return toMs;
		const sinceMs = clock.now();
		asking ??= ask().finally(() => {
			asking = null;
		});
		const serverMs = await asking;
		if (serverMs === null) return toMs;
		// The answer shows what was before the exchange told its time.
		return Math.min(toMs, answered ? serverMs - (clock.now() - sinceMs) : serverMs);
	};
}
