import type { Clock } from "../clock.ts";
import { abortable, onAbort } from "./abortable.ts";
import { MarketError } from "./contract.ts";

export const tooLate = (limitMs: number): MarketError =>
	new MarketError("timeout", `no whole answer within ${limitMs} ms`, true);

/** Ends the call at its limit, with `late`, and with its signal, also when the source heeds neither. */
export async function withinLimit<T>(
	clock: Clock,
	limitMs: number,
	late: MarketError,
	signal: AbortSignal,
	call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const own = new AbortController();
	if (signal.aborted) own.abort(signal.reason);
	const timer = clock.setTimeout(() => own.abort(late), limitMs);
	const forget = signal.aborted ? () => undefined : onAbort(signal, () => own.abort(signal.reason));
	try {
		return await abortable(call(own.signal), own.signal);
	} finally {
		clock.clearTimeout(timer);
		forget();
	}
}
