import type { AccountReader, SecretBox } from "../services.ts";
import type { Delivery, DeliveryRef, StoredWebhook, WebhookStore } from "./contract.ts";
import { ATTEMPTS_MAX, retryPauseMs } from "./retry.ts";
import type { Send, SendResult } from "./send.ts";
import type { Place, Shares } from "./shares.ts";
import { signatureOf } from "./signature.ts";

/** How an attempt ended: `retry` with the pause until the next one; `busy`: there was none, its share is taken. */
export type AttemptEnd =
	| { kind: "none" | "delivered" | "dead" | "interrupted" }
	| { kind: "retry" | "busy"; pause_ms: number };

export interface Deliverer {
	/** One attempt at a delivery that is due; nothing for one that is done, gone, or due later. */
	attempt(ref: DeliveryRef, signal?: AbortSignal): Promise<AttemptEnd>;
}

export interface DelivererDeps {
	store: WebhookStore;
	accounts: AccountReader;
	box: SecretBox;
	send: Send;
	shares: Shares;
	/** The store's clock. */
	now(): number;
	version: string;
	count(result: "delivered" | "retried" | "dead"): void;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

/** An attempt may begin this much early: clocks differ. */
const EARLY_MS = 1_000;

/**
 * Delivers at least once: a process that dies between the receiver's answer and the note of it leads to a
 * second attempt, under the same delivery id.
 */
export function createDeliverer(deps: DelivererDeps): Deliverer {
	const { store, now, log } = deps;

	/** null: nobody is to be told any more. */
	async function receiver(ref: DeliveryRef): Promise<StoredWebhook | null> {
		const [webhook, account] = await Promise.all([
			store.read(ref.user_id, ref.webhook_id),
			deps.accounts.byId(ref.user_id),
		]);
		return account?.status === "active" ? webhook : null;
	}

	async function outcome(
		webhook: StoredWebhook,
		ref: DeliveryRef,
		{ delivery, body }: { delivery: Delivery; body: string },
		limit_ms: number,
		signal?: AbortSignal,
	): Promise<SendResult> {
		let secret: string;
		try {
			secret = deps.box.open(ref, webhook.secret);
		} catch (error) {
			log.warn({ webhook_id: ref.webhook_id, err: error }, "the secret of a webhook cannot be opened");
			return { status: null, error: "the secret cannot be opened" };
		}
		const headers = {
			"content-type": "application/json; charset=utf-8",
			"user-agent": `Lookout/${deps.version}`,
			"x-lookout-event": delivery.event,
			"x-lookout-delivery": delivery.delivery_id,
			"x-lookout-signature": signatureOf(secret, body, now()),
		};
		return deps.send({ url: webhook.url, body, headers, limit_ms }, signal);
	}

	/** In its place, which is free again when the receiver has answered or not. */
	async function inPlace(place: Place, attempt: () => Promise<SendResult>): Promise<SendResult> {
		let timedOut = false;
		try {
			const result = await attempt();
			timedOut = result.timed_out === true;
			return result;
		} finally {
			place.release(timedOut);
		}
	}

	return {
		async attempt(ref, signal) {
			const held = await store.delivery(ref);
			if (held?.delivery.status !== "pending") {
				await store.index(ref, null);
				return { kind: "none" };
			}
			const { delivery } = held;
			const wait = (delivery.next_attempt_at_ms ?? 0) - now();
			if (wait > EARLY_MS) return { kind: "retry", pause_ms: wait };
			const webhook = await receiver(ref);
			let result: SendResult | "dead" = "dead";
			if (webhook) {
				const place = deps.shares.take(ref.user_id, new URL(webhook.url).host);
				if ("pause_ms" in place) {
					// It is not late, it has to wait.
					await store.index(ref, now() + place.pause_ms);
					return { kind: "busy", pause_ms: place.pause_ms };
				}
				result = await inPlace(place, () => outcome(webhook, ref, held, place.limit_ms, signal));
			}
			if (signal?.aborted && result !== "dead" && result.error !== null) return { kind: "interrupted" };
			const after = afterAttempt(delivery, result, now());
			// Replayed or removed meanwhile: what is there now is looked at by its own job.
			if (!(await store.replace(ref, delivery, after))) return { kind: "none" };
			await store.index(ref, after.next_attempt_at_ms);
			if (after.status === "pending") {
				deps.count("retried");
				return { kind: "retry", pause_ms: Math.max(0, (after.next_attempt_at_ms ?? 0) - now()) };
			}
			deps.count(after.status);
			return { kind: after.status };
		},
	};
}

/** Pure: the delivery after an attempt that ended at `nowMs`. */
export function afterAttempt(delivery: Delivery, result: SendResult | "dead", nowMs: number): Delivery {
	if (result === "dead")
		return { ...delivery, status: "dead", next_attempt_at_ms: null, last_error: "the account is not active" };
	const attempts = delivery.attempts + 1;
	const tried = { ...delivery, attempts, last_error: result.error, last_status: result.status };
	if (result.error === null) return { ...tried, status: "delivered", next_attempt_at_ms: null, delivered_at_ms: nowMs };
	if (attempts >= ATTEMPTS_MAX) return { ...tried, status: "dead", next_attempt_at_ms: null };
	return { ...tried, next_attempt_at_ms: nowMs + retryPauseMs(delivery.delivery_id, attempts) };
}
