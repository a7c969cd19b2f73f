import { type Clock, delay } from "../clock.ts";

/** A pause of the event loop, however long, counts as one step. */
const STEP_MS = 100;

/**
 * The outcome of `work`, or an Error once `limitMs` have passed in which the event loop ran. A timer alone would take the
 * delay of a busy process for that of the other side: after a pause it fires before the answer that has long
 * arrived is read. The work itself goes on.
 */
export async function withinLoopTime<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T> {
	const over = new AbortController();
	const late = async (): Promise<never> => {
		for (let leftMs = limitMs; leftMs > 0; leftMs -= STEP_MS)
			await delay(clock, Math.min(STEP_MS, leftMs), over.signal);
		throw new Error(`no answer within ${limitMs} ms`);
	};
	try {
		return await Promise.race([work, late()]);
	} finally {
		over.abort();
	}
}
