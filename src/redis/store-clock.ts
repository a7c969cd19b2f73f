/** The store's clock: every moment that processes compare with each other is on Redis TIME. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";

/** What is needed of a client; seconds and microseconds as Redis answers TIME. */
export interface TimeSource {
	time(): Promise<(string | number)[]>;
}

export interface StoreClock extends Clock {
	/** Store time minus local time, ms. */
	offsetMs(): number;
	/** Round trip of the sample in use, ms: the offset is right within half of it. */
	roundTripMs(): number;
	/** Measures again now; rejects when Redis does not answer, and keeps the old offset then. */
	sync(): Promise<void>;
	close(): void;
}

const SAMPLES = 5;
const REFRESH_MS = 30_000;

const millisecondsOf = (reply: (string | number)[]): number => {
	const [seconds, microseconds] = reply.map(Number);
	const ms = (seconds ?? Number.NaN) * 1000 + (microseconds ?? Number.NaN) / 1000;
	if (!Number.isFinite(ms)) throw new TypeError("Redis TIME gave no time");
	return ms;
};

/**
 * Measures the offset between `local` and Redis TIME by Cristian's method: the server's time is taken to
 * be that of the middle of the round trip, and of several samples the fastest one counts. Refreshed every
 * `refreshMs`; `now()` never goes back, it stands still until a smaller offset has caught up.
 *
 * @throws when the first measurement fails.
 */
export async function storeClock(
	source: TimeSource,
	local: Clock,
	options: { logger?: Logger; refreshMs?: number; samples?: number } = {},
): Promise<StoreClock> {
	const samples = options.samples ?? SAMPLES;
	let offset = 0;
	let roundTrip = 0;
	let latest = Number.NEGATIVE_INFINITY;
	let timer: unknown = null;
	let closed = false;

	const sync = async (): Promise<void> => {
		let best = { roundTrip: Number.POSITIVE_INFINITY, offset: 0 };
		for (let sample = 0; sample < samples; sample += 1) {
			const sentAt = local.now();
			const server = millisecondsOf(await source.time());
			const receivedAt = local.now();
			const candidate = { roundTrip: receivedAt - sentAt, offset: server - (sentAt + receivedAt) / 2 };
			if (candidate.roundTrip < best.roundTrip) best = candidate;
		}
		offset = best.offset;
		roundTrip = best.roundTrip;
	};

	const refresh = (): void => {
		if (closed) return;
		timer = local.setTimeout(() => {
			sync()
				.catch((error: unknown) => options.logger?.warn({ err: error }, "store clock not refreshed"))
				.finally(refresh);
		}, options.refreshMs ?? REFRESH_MS);
		(timer as { unref?: () => void } | null)?.unref?.();
	};

	await sync();
	refresh();
	return {
		now() {
			latest = Math.max(latest, Math.floor(local.now() + offset));
			return latest;
		},
		setTimeout: (callback, delayMs) => local.setTimeout(callback, delayMs),
		clearTimeout: (handle) => local.clearTimeout(handle),
		offsetMs: () => offset,
		roundTripMs: () => roundTrip,
		sync,
		close() {
			closed = true;
			local.clearTimeout(timer);
		},
	};
}
