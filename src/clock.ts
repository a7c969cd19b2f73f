/**
 * Time is a dependency. `now()` is epoch milliseconds; timers are one-shot.
 * XState's SimulatedClock shape (setTimeout, clearTimeout, now) fits, so tests use one clock for all.
 */
export interface Clock {
	now(): number;
	setTimeout(callback: () => void, delayMs: number): unknown;
	clearTimeout(handle: unknown): void;
}

export const systemClock: Clock = {
	now: () => Date.now(),
	setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
	clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when aborted first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) return reject(signal.reason);
		const onAbort = () => {
			clock.clearTimeout(timer);
			reject(signal?.reason);
		};
		const timer = clock.setTimeout(() => {
			signal?.removeEventListener("abort", onAbort);
			resolve();
		}, delayMs);
		signal?.addEventListener("abort", onAbort, { once: true });
	});
}

export { isoOf } from "../machines/iso.ts";

/** Thrown when work did not settle within its limit. The work itself goes on, its outcome is dropped. */
export class LateError extends Error {
	readonly code = "timeout";
	readonly retryable = true;
	constructor(what: string, limitMs: number) {
		super(`${what} did not end within ${limitMs} ms`);
		this.name = "LateError";
	}
}

/** The outcome of `work`, or a LateError once `limitMs` have passed: for work that has no deadline of its own. */
export function limited<T>(clock: Clock, limitMs: number, what: string, work: Promise<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = clock.setTimeout(() => reject(new LateError(what, limitMs)), limitMs);
		work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
	});
}
