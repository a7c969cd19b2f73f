import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";

/** An endpoint is left alone when so many of its last calls failed, and at least half of them. */
export const FAILURES_MIN = 5;
const OUTCOMES_KEPT = 20;
/** Older outcomes say nothing about now. */
const OUTCOME_MS = 60_000;
/** The first time that it is left alone, doubled with each probe that fails. */
export const OPEN_MS_MIN = 5_000;
const OPEN_MS_MAX = 60_000;
/** A probe that tells nothing is given up after this time. */
export const PROBE_MS = 30_000;

export type Admission = "go" | "probe" | "refused";

/** A circuit breaker of one endpoint: closed, open for a time, then half open for one probe. */
export interface Breaker {
	/** `probe`: the one call that finds out whether the endpoint works again; it must end in an outcome or `giveUp`. */
	admit(): Admission;
	succeeded(): void;
	/** Time for which the failure has opened the breaker, ms; null: it has not. */
	failed(): number | null;
	/** The probe was not sent. */
	giveUp(): void;
	/** Another process has found the endpoint broken for so long. */
	openFor(openMs: number): void;
	isOpen(): boolean;
	/** Until a probe may be made, ms. */
	openMs(): number;
}

export function createBreaker(clock: Clock, entropy: Entropy): Breaker {
	let outcomes: { atMs: number; ok: boolean }[] = [];
	/** Null while closed. */
	let untilMs: number | null = null;
	let nextOpenMs = OPEN_MS_MIN;
	let probeSinceMs: number | null = null;

	const open = (): number => {
		// Processes that opened together must not probe together.
		const jitter = 1 + Number.parseInt(entropy.hex(1), 16) / 1024;
		const openMs = Math.round(nextOpenMs * jitter);
		untilMs = clock.now() + openMs;
		nextOpenMs = Math.min(OPEN_MS_MAX, nextOpenMs * 2);
		probeSinceMs = null;
		outcomes = [];
		return openMs;
	};
	const note = (ok: boolean): void => {
		const nowMs = clock.now();
		outcomes = [...outcomes.filter(({ atMs }) => nowMs - atMs < OUTCOME_MS), { atMs: nowMs, ok }].slice(-OUTCOMES_KEPT);
	};

	return {
		admit() {
			if (untilMs === null) return "go";
			const probing = probeSinceMs !== null && clock.now() - probeSinceMs < PROBE_MS;
			if (clock.now() < untilMs || probing) return "refused";
			probeSinceMs = clock.now();
			return "probe";
		},
		succeeded() {
			if (untilMs === null) return note(true);
			// A late answer to a call from before tells nothing of now; the probe's does.
			if (probeSinceMs === null) return;
			untilMs = null;
			probeSinceMs = null;
			nextOpenMs = OPEN_MS_MIN;
			outcomes = [];
		},
		failed() {
			if (untilMs !== null) return probeSinceMs === null ? null : open();
			note(false);
			const failures = outcomes.filter(({ ok }) => !ok).length;
			return failures >= FAILURES_MIN && failures * 2 >= outcomes.length ? open() : null;
		},
		giveUp() {
			probeSinceMs = null;
		},
		openFor(openMs) {
			const until = clock.now() + openMs;
			if (untilMs === null || (until > untilMs && probeSinceMs === null)) untilMs = until;
		},
		isOpen: () => untilMs !== null,
		openMs: () => (untilMs === null ? 0 : Math.max(0, untilMs - clock.now())),
	};
}
