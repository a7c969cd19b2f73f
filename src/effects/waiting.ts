import { setMaxListeners } from "node:events";
import type { Clock } from "../clock.ts";

/** An AbortController that also follows `parent`; `release` unhooks it, so parents collect no listeners. */
export interface LinkedAbort {
	readonly signal: AbortSignal;
	abort(reason?: unknown): void;
	release(): void;
}

export function linkedAbort(parent: AbortSignal): LinkedAbort {
	const controller = new AbortController();
	/** Hundreds of reads may hang on one signal, each for as long as it runs; that is no leak. */
	setMaxListeners(0, controller.signal);
	const follow = () => controller.abort(parent.reason);
	if (parent.aborted) follow();
	else parent.addEventListener("abort", follow, { once: true });
	return {
		signal: controller.signal,
		abort: (reason) => controller.abort(reason),
		release: () => parent.removeEventListener("abort", follow),
	};
}

/**
 * `work`, or the signal's reason as soon as it aborts, even if `work` never notices.
 * A late failure of abandoned work is observed here, so it cannot end the process.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const onAbort = () => reject(signal.reason);
		const settle = () => signal.removeEventListener("abort", onAbort);
		if (signal.aborted) onAbort();
		else signal.addEventListener("abort", onAbort, { once: true });
		work.then(
			(value) => {
				settle();
				resolve(value);
			},
			(error) => {
				settle();
				reject(error);
			},
		);
	});
}

/** True when `event` resolved within `waitMs`, false when the time was up; rejects on abort. No timer stays. */
export async function happensWithin(
	event: Promise<unknown>,
	waitMs: number,
	clock: Clock,
	signal: AbortSignal,
): Promise<boolean> {
	let timer: unknown;
	const timeUp = new Promise<false>((resolve) => {
		timer = clock.setTimeout(() => resolve(false), Math.max(0, waitMs));
	});
	try {
		return await untilAborted(Promise.race([event.then(() => true), timeUp]), signal);
	} finally {
		clock.clearTimeout(timer);
	}
}

/** Thrown by `withinTime` when its own limit passed, as opposed to an abort from outside. */
export class TimeLimitError extends Error {
	readonly code = "timeout";
	readonly retryable = true;
	constructor(limitMs: number) {
		super(`no answer within ${limitMs} ms`);
		this.name = "TimeLimitError";
	}
}

/** Runs `work` under a limit of its own: its signal aborts at the limit, and the wait ends there. */
export async function withinTime<T>(
	limitMs: number,
	clock: Clock,
	parent: AbortSignal,
	work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const limit = linkedAbort(parent);
	const timer = clock.setTimeout(() => limit.abort(new TimeLimitError(limitMs)), Math.max(0, limitMs));
	try {
		return await untilAborted(work(limit.signal), limit.signal);
	} finally {
		clock.clearTimeout(timer);
		limit.release();
	}
}
