import type { WeightLimit } from "./sharing.ts";

interface Used {
	atMs: number;
	weight: number;
}

/** A sliding window of request weight in one process: no more than the limit in any window, wherever it begins. */
export class WeightWindow {
	readonly #limit: WeightLimit;
	#used: Used[] = [];
	#sum = 0;

	constructor(limit: WeightLimit) {
		this.#limit = limit;
	}

	/** 0: taken. Else nothing was taken, and there may be room after so many ms. */
	take(weight: number, nowMs: number): number {
		const { weight_max, window_ms } = this.#limit;
		while (this.#used[0] !== undefined && this.#used[0].atMs + window_ms <= nowMs)
			this.#sum -= (this.#used.shift() as Used).weight;
		if (this.#sum + weight <= weight_max) {
			this.#used.push({ atMs: nowMs, weight });
			this.#sum += weight;
			return 0;
		}
		let lack = this.#sum + weight - weight_max;
		for (const { atMs, weight: own } of this.#used) {
			lack -= own;
			if (lack <= 0) return Math.max(1, atMs + window_ms - nowMs);
		}
		return window_ms;
	}
}
