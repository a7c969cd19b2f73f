import type { Clock } from "../clock.ts";

/**
 * Does the same small thing for many: what is asked for while one round is under way, or while rounds rest, is done by
 * the next, in one command for all; a lone one waits for nothing.
 */
export type Gathering<T> = (item: T) => Promise<void>;

/** How closely the rounds of a gathering may follow one another. */
export interface Pace {
	/** The present moment of its own clock, ms. */
	now(): number;
	/** Resolves when a round may follow one that began at `began_at_ms`: all that rest begin again together. */
	rest(began_at_ms: number): Promise<void>;
	/** From now on nothing rests, not even what does so already. */
	end(): void;
}

interface Waiting<T> {
	item: T;
	done: () => void;
	broken: (error: unknown) => void;
}

/**
 * All that rests wakes together, when the first of it may: the commands of all rounds leave in one packet then, and the
 * server, which may have to wait for its disk before it answers, does so once.
 *
 * @param every_ms from the beginning of a round to that of the next, at most
 */
export function createPace(clock: Clock, every_ms: number): Pace {
	let sleepers: (() => void)[] = [];
	let alarm: { at_ms: number; timer: unknown } | null = null;
	let ended = false;
	function wake(): void {
		const woken = sleepers;
		sleepers = [];
		if (alarm) clock.clearTimeout(alarm.timer);
		alarm = null;
		for (const rise of woken) rise();
	}
	return {
		now: () => clock.now(),
		async rest(began_at_ms) {
			// A clock that was set back makes nobody wait for longer.
			const left = Math.min(every_ms, began_at_ms + every_ms - clock.now());
			if (ended || left <= 0) return;
			const at_ms = clock.now() + left;
			if (!alarm || at_ms < alarm.at_ms) {
				if (alarm) clock.clearTimeout(alarm.timer);
				alarm = { at_ms, timer: clock.setTimeout(wake, left) };
			}
			await new Promise<void>((rise) => sleepers.push(rise));
		},
		end() {
			ended = true;
			wake();
		},
	};
}

/**
 * @param act does it for at most `max` items, in the order in which they came
 * @param pace absent: rounds follow one another at once
 * @returns resolves when it is done for the item; rejects when the round it was in has failed
 */
export function gathering<T>(max: number, act: (items: T[]) => Promise<unknown>, pace?: Pace): Gathering<T> {
	const waiting: Waiting<T>[] = [];
	let busy = false;
	let beganAtMs = Number.NEGATIVE_INFINITY;
	async function rounds(): Promise<void> {
		if (busy) return;
		busy = true;
		while (waiting.length > 0) {
			if (pace && waiting.length < max) await pace.rest(beganAtMs);
			beganAtMs = pace?.now() ?? beganAtMs;
			const round = waiting.splice(0, max);
			try {
				await act(round.map(({ item }) => item));
				for (const { done } of round) done();
			} catch (error) {
				for (const { broken } of round) broken(error);
			}
		}
		busy = false;
	}
	return (item) =>
		new Promise((done, broken) => {
			waiting.push({ item, done, broken });
			void rounds();
		});
}
