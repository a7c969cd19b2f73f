import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

/** Collects this thread's garbage now, so that what is measured next does not pay for what was before. */
export const collectGarbage = runInNewContext("gc") as () => void;

const POLL_MS = 10;
/** Of a poll: a timer and two readings of a clock cost less. */
const REST_SHARE = 0.1;
const POLLS_OF_REST = 3;
const POLLS_MAX = 100;

function cpuMsOfProcess(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}

/**
 * Waits until next to nothing runs in the process, for a hundred polls at most. A collection is not over when it
 * returns: V8 goes on sweeping in threads of its own, the longer the more heap there is, and that is in the process's
 * CPU time.
 */
export async function processAtRest(cpuMs = cpuMsOfProcess, pause: (ms: number) => Promise<unknown> = sleep) {
	for (let [rested, polls] = [0, 0]; rested < POLLS_OF_REST && polls < POLLS_MAX; polls++) {
		const before = cpuMs();
		await pause(POLL_MS);
		rested = cpuMs() - before < REST_SHARE * POLL_MS ? rested + 1 : 0;
	}
}
