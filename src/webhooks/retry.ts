import { sha256Hex } from "../canonical.ts";

/** Attempts until a delivery is a dead letter: the last one comes about two hours after the first. */
export const ATTEMPTS_MAX = 8;
const FIRST_MS = 10_000;
const FACTOR = 3;
const LONGEST_MS = 3_600_000;
/** Of a pause; receivers that come back are not called by all at the same moment. */
const JITTER_SHARE = 0.2;

/** Pause after the `attempts`-th failed attempt (1 ..), ms: 10 s, 30 s, 90 s ... at most an hour, up to a fifth more. */
export function retryPauseMs(deliveryId: string, attempts: number): number {
	const pause = Math.min(LONGEST_MS, FIRST_MS * FACTOR ** (attempts - 1));
	const share = Number.parseInt(sha256Hex(`${deliveryId}|${attempts}`).slice(0, 8), 16) / 0x1_0000_0000;
	return Math.round(pause * (1 + JITTER_SHARE * share));
}
