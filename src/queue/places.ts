import type { Clock } from "../clock.ts";

/** Places for scans in one process: those that the queue delivers and those that are run where they were started. */
export interface Places {
	/** A place that nobody waits for? */
	free(): boolean;
	/** False: none became free within `limitMs`. They are given out in the order in which they were asked for. */
	take(limitMs: number): Promise<boolean>;
	/** To be called once for each place that was given. */
	leave(): void;
}

export function createPlaces(capacity: number, clock: Clock): Places {
	let taken = 0;
	const waiting = new Set<() => void>();
	// While somebody waits all are taken: a place that is given on stays so.
	const free = () => taken < capacity;
	return {
		free,
		async take(limitMs) {
			if (free()) {
				taken += 1;
				return true;
			}
			return await new Promise<boolean>((resolve) => {
				const given = () => {
					clock.clearTimeout(timer);
					resolve(true);
				};
				waiting.add(given);
				const timer = clock.setTimeout(() => {
					waiting.delete(given);
					resolve(false);
				}, limitMs);
			});
		},
		leave() {
			const [next] = waiting;
			if (next === undefined) {
				taken -= 1;
				return;
			}
			waiting.delete(next);
			next();
		},
	};
}
