/** To begin a read costs up to 0.2 ms, so this many stay below what other work may have to wait. */
const BEGUN_A_TURN_MAX = 20;

export type Begin = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Begins the first tasks at once and as many in each later turn of the event loop, in order: the reads of a whole
 * universe, begun together, would keep requests and heartbeats waiting.
 */
export function inTurns(max = BEGUN_A_TURN_MAX): Begin {
	let count = 0;
	let gate: Promise<void> | null = null;
	return (task) => {
		if (count > 0 && count % max === 0) {
			const next = () => new Promise<void>((resolve) => setImmediate(resolve));
			gate = gate ? gate.then(next) : next();
		}
		count++;
		return gate ? gate.then(task) : task();
	};
}
