import type { Clock } from "../clock.ts";
import type { SharedAnswers, SharedKey } from "./sharing.ts";

/**
 * A process that stands still while it fetches holds the others up no longer than this: what it has asked for is not asked
 * for again while it may yet tell. One that is dead holds them up for DEAD_AFTER_SHARE of it, where the store tells who is
 * connected.
 */
export const LEASE_MS = 20_000;
/** A lease never takes more of the time that a reader has. */
export const LEASE_SHARE_MAX = 0.5;
/** A lease is renewed after this part of it; once that was missed, its holder is looked for. */
export const RENEW_SHARE = 0.2;
export const DEAD_AFTER_SHARE = 0.3;

/** The right to fetch one datum, of whoever knows the token. */
export interface Lease {
	key: SharedKey;
	token: string;
	leaseMs: number;
}

/** Renews the lease until it is let go or lost. */
export function keepLease(
	answers: SharedAnswers,
	clock: Clock,
	{ key, token, leaseMs }: Lease,
	lost: () => void,
): () => void {
	let timer: unknown = null;
	let over = false;
	const again = (): void => {
		timer = clock.setTimeout(async () => {
			const held = await answers.renew(key, token, leaseMs).catch(() => true);
			if (over) return;
			if (held) again();
			else lost();
		}, leaseMs * RENEW_SHARE);
	};
	again();
	return () => {
		over = true;
		clock.clearTimeout(timer);
	};
}
