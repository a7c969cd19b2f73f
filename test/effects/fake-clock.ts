import type { Clock } from "../../src/clock.ts";

/** Where every test's time begins. */
export const START_MS = Date.UTC(2026, 2, 19, 19);

/** Time that moves only when told to; timers fire in order. */
export class ManualClock implements Clock {
	private nowMs = START_MS;
	private timers: { atMs: number; run: () => void }[] = [];
	now(): number {
		return this.nowMs;
	}
	setTimeout(callback: () => void, delayMs: number): unknown {
		const timer = { atMs: this.nowMs + delayMs, run: callback };
		this.timers.push(timer);
		return timer;
	}
	clearTimeout(handle: unknown): void {
		this.timers = this.timers.filter((timer) => timer !== handle);
	}
	armed(): number {
		return this.timers.length;
	}
	/** Moves on in small steps and lets promises settle in between. */
	async advance(byMs: number, stepMs = 100): Promise<void> {
		await settled();
		for (let moved = 0; moved < byMs; moved += stepMs) {
			this.nowMs += Math.min(stepMs, byMs - moved);
			for (const timer of this.timers.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs)) {
				this.clearTimeout(timer);
				timer.run();
			}
			await settled();
		}
	}
}

/** Lets everything that can run now run; no time passes. */
export async function settled(): Promise<void> {
	for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Every test ends: one that hangs fails by name after ten seconds. */
export const bounded = (run: () => Promise<void>) => async () => {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error("the test did not end within 10 s")), 10_000);
	});
	try {
		await Promise.race([run(), limit]);
	} finally {
		clearTimeout(timer);
	}
};

export interface Deferred<T> {
	promise: Promise<T>;
	resolve(value: T): void;
	reject(error: unknown): void;
}

export function deferred<T>(): Deferred<T> {
	let resolve: (value: T) => void = () => {};
	let reject: (error: unknown) => void = () => {};
	const promise = new Promise<T>((onValue, onError) => {
		resolve = onValue;
		reject = onError;
	});
	return { promise, resolve, reject };
}

export const never = <T>(): Promise<T> => new Promise<T>(() => {});
