import type { Clock } from "../../clock.ts";
import type { SharedTime } from "../venue-sharing.ts";

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
	/**
	 * The process's clock when the answer was there. A request waits for budget, and a shared time for another process,
	 * so its middle would say nothing about when the exchange looked at its clock: from here on the exchange's time is
	 * at least `server_ms`, and what is made of it is behind by the answer's way at most, never ahead.
	 */
	local_ms: number;
}

export interface ServerClock {
	/** The exchange's time by the last measurement; null: it was never told. */
	now(): number | null;
	/** Whether the exchange's clock stands still, as a replayed one may. */
	standing(): boolean;
	/** Measures the offset; rejects as `read` does. Concurrent calls share one request. */
	measure(): Promise<void>;
	/** The same, or takes what another process has measured a while ago. */
	follow(): Promise<void>;
	/** Whether it is time to measure again. */
	stale(): boolean;
}

/** What the exchange's clock says now, and whether it moves. */
export type MeasureTime = () => Promise<Omit<SharedTime, "age_ms">>;

/** The measurement of whichever process made it, at most `freshMs` old. */
export type ShareTime = (freshMs: number, measure: MeasureTime) => Promise<SharedTime>;

/**
 * Follows an exchange's clock from the offset of its answers to the process's clock. A first measurement does not
 * show whether the clock moves: until the second it is taken to stand, which is behind by as long as that takes.
 * `unknown`: the time of an exchange that does not tell it.
 */
export function createServerClock(
	clock: Clock,
	read: () => Promise<number | null>,
	share: ShareTime | null = null,
	unknown: () => number = clock.now,
): ServerClock {
	let sample: Sample | null = null;
	/** Far enough back for the next one to show whether the clock moves. */
	let base: Sample | null = null;
	let moving = false;
	/** Two looks far enough apart, by this process or another, have shown whether the clock moves. */
	let judged = false;
	let triedAtMs = Number.NEGATIVE_INFINITY;
	const running = new Map<() => Promise<void>, Promise<void>>();
	const once = (work: () => Promise<void>) => (): Promise<void> => {
		const under = running.get(work) ?? work().finally(() => running.delete(work));
		running.set(work, under);
		return under;
	};

	const measure = async (): Promise<void> => {
		triedAtMs = clock.now();
		const server_ms = await read();
		const local_ms = clock.now();
		const next = { server_ms: server_ms ?? unknown(), local_ms };
		base ??= next;
		const passedMs = next.local_ms - base.local_ms;
		if (server_ms === null) moving = judged = true;
		else if (passedMs >= SECOND_LOOK_MS / 2) {
			judged = true;
			moving = next.server_ms - base.server_ms > passedMs * MOVING_SHARE;
			base = next;
		}
		sample = next;
	};
	const direct = once(measure);
	const shared = once(async () => {
		// What does not show whether the clock moves is not to be shared: the others would take it to stand for a minute.
		const soon = base === null || clock.now() - base.local_ms < SECOND_LOOK_MS / 2;
		if (share === null || (soon && !judged)) return direct();
		triedAtMs = clock.now();
		let own = false;
		const told = await share(OFFSET_FRESH_MS, async () => {
			await direct();
			own = true;
			return { server_ms: sample?.server_ms ?? null, moving };
		});
		if (own) return;
		const local_ms = clock.now();
		moving = told.moving;
		judged = true;
		base = sample = { server_ms: (told.server_ms ?? unknown()) + (moving ? told.age_ms : 0), local_ms };
	});

	return {
		now() {
			if (sample === null) return null;
			return moving ? sample.server_ms + Math.max(0, clock.now() - sample.local_ms) : sample.server_ms;
		},
		standing: () => !moving,
		measure: direct,
		follow: shared,
		stale: () => clock.now() - triedAtMs > (sample === null ? RETRY_MS : OFFSET_FRESH_MS),
	};
}
