import type { Redis } from "ioredis";
import type { Clock } from "../clock.ts";
import { channels } from "./keys.ts";

/**
 * This process's one subscription: wakes whoever waits for a scan's next commit or for its inbox.
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

export async function createCommitHub(subscriber: Redis, clock: Clock): Promise<CommitHub> {
	const waiters = new Map<string, Set<() => void>>();
	const inboxListeners = new Set<(scanId: string) => void>();
	const onMessage = (channel: string, message: string) => {
		const scanId = message.split(" ", 1)[0] ?? "";
		if (channel === channels.inbox) for (const listener of inboxListeners) listener(scanId);
		else for (const wake of waiters.get(scanId) ?? []) wake();
	};
	subscriber.on("message", onMessage);
	await subscriber.subscribe(channels.commits, channels.inbox);
	let pinging: unknown = null;
	let closed = false;
	const ping = (): void => {
		if (closed) return;
		pinging = clock.setTimeout(() => void subscriber.ping().then(ping, ping), PING_MS);
		(pinging as { unref?: () => void } | null)?.unref?.();
	};
	ping();

	const next: CommitHub["next"] = (scanId, timeoutMs, signal) =>
		new Promise((resolve) => {
			if (signal.aborted || timeoutMs <= 0) return resolve(false);
			const held = waiters.get(scanId) ?? new Set();
			waiters.set(scanId, held);
			const done = (woken: boolean) => {
				clock.clearTimeout(timer);
				signal.removeEventListener("abort", onAbort);
				held.delete(wake);
				if (held.size === 0) waiters.delete(scanId);
				resolve(woken);
			};
			const wake = () => done(true);
			const onAbort = () => done(false);
			const timer = clock.setTimeout(() => done(timeoutMs > RECHECK_MS), Math.min(timeoutMs, RECHECK_MS));
			signal.addEventListener("abort", onAbort, { once: true });
			held.add(wake);
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
			for (const held of waiters.values()) for (const wake of [...held]) wake();
		},
	};
}
