import type { Redis } from "ioredis";
import type { Clock } from "../clock.ts";
import { channels } from "./keys.ts";

/**
 * This process's one connection for news: wakes whoever waits for a scan's next commit or for its inbox. Each scan has a
 * channel of its own, so a process hears of the scans that somebody waits for here and of no others.
 * Messages are hints; a lost one costs a waiter at most `RECHECK_MS`, because it then looks itself.
 */
export interface CommitHub {
	/** True at the next commit (or when it is time to look again), false at the timeout or abort. */
	next(scanId: string, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
	onInbox(listener: (scanId: string) => void): () => void;
	close(): void;
}

const RECHECK_MS = 1_000;
/** A subscription says nothing while nothing happens: only a question now and then shows that it still stands. */
const PING_MS = 5_000;

/** A scan is listened to for so long after the last wait: most who have waited wait again. */
const LINGER_MS = 2_000;

/** No timer of the hub keeps a process alive. */
const unref = (timer: unknown): void => (timer as { unref?: () => void } | null)?.unref?.();

interface Watched {
	waiters: Set<() => void>;
	/** Asked for, and not refused since. */
	subscribed: boolean;
	/** Ends the subscription, unless somebody waits again. */
	leaving: unknown;
}

export async function createCommitHub(subscriber: Redis, clock: Clock): Promise<CommitHub> {
	const watched = new Map<string, Watched>();
	const inboxListeners = new Set<(scanId: string) => void>();
	const wakeAll = (scanId: string): void => {
		for (const wake of [...(watched.get(scanId)?.waiters ?? [])]) wake();
	};
	const onMessage = (channel: string, message: string) => {
		const scanId = message.split(" ", 1)[0] ?? "";
		if (channel === channels.inbox) for (const listener of inboxListeners) listener(scanId);
		else wakeAll(scanId);
	};
	subscriber.on("message", onMessage);
	await subscriber.subscribe(channels.inbox);

	/** Who waits is told to look once the subscription stands: what was committed before it is told to nobody. */
	function subscribe(scanId: string, held: Watched): void {
		held.subscribed = true;
		subscriber.subscribe(channels.commits(scanId)).then(
			() => wakeAll(scanId),
			() => {
				held.subscribed = false;
			},
		);
	}

	function watch(scanId: string): Watched {
		const held = watched.get(scanId) ?? { waiters: new Set(), subscribed: false, leaving: null };
		watched.set(scanId, held);
		clock.clearTimeout(held.leaving);
		if (!held.subscribed) subscribe(scanId, held);
		return held;
	}

	function leave(scanId: string): void {
		watched.delete(scanId);
		subscriber.unsubscribe(channels.commits(scanId)).catch(() => undefined);
	}

	let pinging: unknown = null;
	let closed = false;
	const ping = (): void => {
		if (closed) return;
		pinging = clock.setTimeout(() => void subscriber.ping().then(ping, ping), PING_MS);
		unref(pinging);
	};
	ping();

	const next: CommitHub["next"] = (scanId, timeoutMs, signal) =>
		new Promise((resolve) => {
			if (signal.aborted || timeoutMs <= 0) return resolve(false);
			const held = watch(scanId);
			const done = (woken: boolean) => {
				clock.clearTimeout(timer);
				signal.removeEventListener("abort", onAbort);
				held.waiters.delete(wake);
				if (held.waiters.size === 0 && !closed) {
					held.leaving = clock.setTimeout(() => leave(scanId), LINGER_MS);
					unref(held.leaving);
				}
				resolve(woken);
			};
			const wake = () => done(true);
			const onAbort = () => done(false);
			const timer = clock.setTimeout(() => done(timeoutMs > RECHECK_MS), Math.min(timeoutMs, RECHECK_MS));
			signal.addEventListener("abort", onAbort, { once: true });
			held.waiters.add(wake);
		});
	return {
		next,
		onInbox(listener) {
			inboxListeners.add(listener);
			return () => inboxListeners.delete(listener);
		},
		close() {
			closed = true;
			clock.clearTimeout(pinging);
			subscriber.off("message", onMessage);
			for (const [scanId, { leaving }] of watched) {
				clock.clearTimeout(leaving);
				wakeAll(scanId);
			}
		},
	};
}
