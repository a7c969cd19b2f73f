import type { Clock } from "../../clock.ts";

/** After this time the offset is measured again, when the time is asked for. */
export const OFFSET_FRESH_MS = 60_000;
/** While no time is known the exchange is asked this often at most. */
const RETRY_MS = 1000;
/** A clock that moved less than this share of the time that passed stands still. */
const MOVING_SHARE = 0.5;
/** Some exchanges tell whole seconds: sooner a second look would not show whether their clock moves. */
export const SECOND_LOOK_MS = 1100;

interface Sample {
	server_ms: number;
	/** The process's clock in the middle of the request. */
	local_ms: number;
}

export interface ServerClock {
	/** The exchange's time by the last measurement; null: it was never told. */
	now(): number | null;
	/** Whether the exchange's clock stands still, as a replayed one may. */
	standing(): boolean;
	/** Measures the offset; rejects as `read` does. Concurrent calls share one request. */
	measure(): Promise<void>;
	/** Whether it is time to measure again. */
	stale(): boolean;
}

/**
 * Follows an exchange's clock from the offset of its answers to the process's clock. A first measurement does not
 * show whether the clock moves: until the second it is taken to stand, which is behind by as long as that takes.
 */
export function createServerClock(clock: Clock, read: () => Promise<number | null>): ServerClock {
	let sample: Sample | null = null;
	let moving = false;
	let triedAtMs = Number.NEGATIVE_INFINITY;
	let running: Promise<void> | null = null;

	const measure = async (): Promise<void> => {
		const sentMs = clock.now();
		triedAtMs = sentMs;
		const server_ms = await read();
		const receivedMs = clock.now();
		// An exchange that does not tell the time is taken to have ours.
		const local_ms = (sentMs + receivedMs) / 2;
		const next = { server_ms: server_ms ?? local_ms, local_ms };
		const passedMs = sample === null ? 0 : next.local_ms - sample.local_ms;
		if (server_ms === null) moving = true;
		else if (sample && passedMs >= SECOND_LOOK_MS / 2) {
			moving = next.server_ms - sample.server_ms > passedMs * MOVING_SHARE;
		}
		sample = next;
	};

	return {
		now() {
			if (sample === null) return null;
			return moving ? sample.server_ms + Math.max(0, clock.now() - sample.local_ms) : sample.server_ms;
		},
		standing: () => !moving,
		measure() {
			running ??= measure().finally(() => {
				running = null;
			});
			return running;
		},
		stale: () => clock.now() - triedAtMs > (sample === null ? RETRY_MS : OFFSET_FRESH_MS),
	};
}
