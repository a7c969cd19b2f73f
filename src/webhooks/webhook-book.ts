import { isoOf } from "../clock.ts";
import { ApiError, validationFailed } from "../errors.ts";
import type { SecretBox } from "../services.ts";
import type { Delivery, DeliveryHints, DeliveryStatus, StoredWebhook, WebhookEvent, WebhookStore } from "./contract.ts";

/** Webhooks as their owners see and change them. The secret is told once. */

export const WEBHOOKS_MAX = 20;
export const URL_LENGTH_MAX = 2_048;
const SAVE_TRIES = 5;

export interface WebhookFields {
	url?: string;
	events?: WebhookEvent[];
}

export interface WebhookBook {
	/** Throws limit_reached, url_not_allowed, validation_failed, token_revoked. */
	create(userId: string, fields: Required<WebhookFields>): Promise<object>;
	list(userId: string): Promise<object[]>;
	ids(userId: string): Promise<string[]>;
	/** Throws webhook_not_found, as do the following. */
	get(userId: string, webhookId: string): Promise<object>;
	change(userId: string, webhookId: string, fields: WebhookFields): Promise<object>;
	remove(userId: string, webhookId: string): Promise<object>;
	/** Newest first. */
	deliveries(userId: string, webhookId: string, status: DeliveryStatus | null, limit: number): Promise<object[]>;
	/** Sends a delivery again from now on, as if it were new. Throws not_found for one that is not kept. */
	replay(userId: string, webhookId: string, deliveryId: string): Promise<object>;
	/** Takes pending deliveries out of queue and index; their records stay. */
	dropDeliveries(userId: string, webhookId: string): Promise<void>;
}

export interface WebhookBookDeps {
	store: WebhookStore;
	hints: DeliveryHints;
	box: SecretBox;
	/** Throws url_not_allowed for an address that may not be called, validation_failed for what is no address. */
	checkUrl(text: string): Promise<string>;
	/** After a webhook is gone: takes it out of the schedules that name it. */
	dropFromSchedules(userId: string, webhookId: string): Promise<void>;
	/** The store's clock. */
	now(): number;
	newId(): string;
	newSecret(): string;
	log: { warn(facts: Record<string, unknown>, message: string): void };
}

export function createWebhookBook(deps: WebhookBookDeps): WebhookBook {
	const { store, hints, now, log } = deps;

	async function found(userId: string, webhookId: string): Promise<StoredWebhook> {
		const held = await store.read(userId, webhookId);
		if (!held) throw new ApiError("webhook_not_found");
		return held;
	}

	/** Repeated while another change comes between (null). */
	async function retried<T>(change: () => Promise<T | null>): Promise<T> {
		for (let attempt = 0; attempt < SAVE_TRIES; attempt += 1) {
			const done = await change();
			if (done !== null) return done;
		}
		throw new ApiError("internal_error");
	}

	async function dropDeliveries(userId: string, webhookId: string): Promise<void> {
		for (const { delivery_id, status } of await store.deliveries(userId, webhookId)) {
			if (status !== "pending") continue;
			const ref = { user_id: userId, webhook_id: webhookId, delivery_id };
			await store.index(ref, null);
			await hints.forget(ref);
		}
	}

	return {
		async create(userId, fields) {
			const url = await deps.checkUrl(fields.url);
			const secret = deps.newSecret();
			const webhook_id = deps.newId();
			const webhook: StoredWebhook = {
				webhook_id,
				url,
				events: fields.events,
				secret: deps.box.seal({ user_id: userId, webhook_id }, secret),
				created_at_ms: now(),
			};
			const answer = await store.save(userId, webhook, null, WEBHOOKS_MAX);
			if (answer === "limit") throw new ApiError("limit_reached", `At most ${WEBHOOKS_MAX} webhooks per user`);
			if (answer !== "saved") throw new ApiError("token_revoked");
			const { created_at, ...rest } = webhookView(webhook);
			return { ...rest, secret, created_at };
		},
		list: async (userId) => (await store.list(userId)).map(webhookView),
		ids: async (userId) => (await store.list(userId)).map(({ webhook_id }) => webhook_id),
		get: async (userId, webhookId) => webhookView(await found(userId, webhookId)),
		change: (userId, webhookId, fields) =>
			retried(async () => {
				const before = await found(userId, webhookId);
				const after = { ...before, ...fields };
				if (fields.url !== undefined) after.url = await deps.checkUrl(fields.url);
				const answer = await store.save(userId, after, before, WEBHOOKS_MAX);
				if (answer === "gone") throw new ApiError("webhook_not_found");
				if (answer === "no_account") throw new ApiError("token_revoked");
				return answer === "saved" ? webhookView(after) : null;
			}),
		async remove(userId, webhookId) {
			const held = await found(userId, webhookId);
			try {
				await dropDeliveries(userId, webhookId);
			} catch (error) {
				log.warn({ webhook_id: webhookId, err: error }, "deliveries of a deleted webhook still stand in the queue");
			}
			await store.remove(userId, webhookId);
			await deps.dropFromSchedules(userId, webhookId);
			return webhookView(held);
		},
		dropDeliveries,
		async deliveries(userId, webhookId, status, limit) {
			await found(userId, webhookId);
			const all = await store.deliveries(userId, webhookId);
			return all
				.filter((one) => status === null || one.status === status)
				.slice(0, limit)
				.map(deliveryView);
		},
		async replay(userId, webhookId, deliveryId) {
			await found(userId, webhookId);
			const ref = { user_id: userId, webhook_id: webhookId, delivery_id: deliveryId };
			const replayed = await retried(async () => {
				const held = await store.delivery(ref);
				if (!held) throw new ApiError("not_found", "No such delivery is kept");
				const nowMs = now();
				const fresh = { status: "pending", attempts: 0, next_attempt_at_ms: nowMs, delivered_at_ms: null } as const;
				const after: Delivery = { ...held.delivery, ...fresh };
				return (await store.replace(ref, held.delivery, after)) ? after : null;
			});
			await store.index(ref, replayed.next_attempt_at_ms);
			try {
				// A job that waits for a later attempt would keep the new one from being queued.
				await hints.forget(ref);
				await hints.deliver(ref, 0);
			} catch (error) {
				log.warn({ delivery_id: deliveryId, err: error }, "a replayed delivery is not queued yet");
			}
			return deliveryView(replayed);
		},
	};
}

const webhookView = ({ webhook_id, url, events, created_at_ms }: StoredWebhook) => ({
	webhook_id,
	url,
	events,
	created_at: isoOf(created_at_ms),
});

const iso = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));

function deliveryView(delivery: Delivery): object {
	const { delivery_id, event, scan_id, status, attempts, last_error, last_status } = delivery;
	return {
		delivery_id,
		event,
		scan_id,
		status,
		attempts,
		last_error,
		last_status,
		next_attempt_at: iso(delivery.next_attempt_at_ms),
		delivered_at: iso(delivery.delivered_at_ms),
		created_at: isoOf(delivery.created_at_ms),
	};
}

const URL_PATH = "body.url";

/** Form of a webhook's address: absolute, http or https, without user and password. Throws validation_failed. */
export function parseWebhookUrl(text: string): URL {
	const refuse = (message: string) => validationFailed([{ path: URL_PATH, message }]);
	if (text.length > URL_LENGTH_MAX) throw refuse(`must have at most ${URL_LENGTH_MAX} characters`);
	let url: URL;
	try {
		url = new URL(text);
	} catch {
		throw refuse("must be an absolute URL");
	}
	if (url.protocol !== "https:" && url.protocol !== "http:") throw refuse("must begin with https:// or http://");
	if (url.username !== "" || url.password !== "") throw refuse("must not hold a user or password");
	if (url.port === "0") throw refuse("must not name port 0");
	url.hash = "";
	return url;
}
