/** Webhooks of users and what is delivered to them. Moments are epoch ms on the store's clock. */

export const WEBHOOK_EVENTS = ["scan.completed", "scan.failed", "scan.cancelled", "scan.changed"] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface StoredWebhook {
	webhook_id: string;
	url: string;
	events: WebhookEvent[];
	/** As a SecretBox sealed it. */
	secret: string;
	created_at_ms: number;
}

export interface DeliveryRef {
	user_id: string;
	webhook_id: string;
	delivery_id: string;
}

export type DeliveryStatus = "pending" | "delivered" | "dead";

export interface Delivery {
	delivery_id: string;
	webhook_id: string;
	event: WebhookEvent;
	scan_id: string;
	status: DeliveryStatus;
	/** Since it was made, or replayed. */
	attempts: number;
	last_error: string | null;
	/** HTTP status of the last answer; null: there was none. */
	last_status: number | null;
	created_at_ms: number;
	/** null: none to come. */
	next_attempt_at_ms: number | null;
	delivered_at_ms: number | null;
}

export interface KeepAnswer {
	/** known: it was kept before, and stays as it is. gone: there is no such webhook. */
	kind: "kept" | "known" | "gone";
	/** Pending deliveries for which there is no room any more, oldest first: they are to be given up. */
	crowded: DeliveryRef[];
}

export interface WebhookStore {
	list(userId: string): Promise<StoredWebhook[]>;
	read(userId: string, webhookId: string): Promise<StoredWebhook | null>;
	save(
		userId: string,
		webhook: StoredWebhook,
		before: StoredWebhook | null,
		limit: number,
	): Promise<"saved" | "limit" | "no_account" | "changed" | "gone">;
	/** With all its deliveries. */
	remove(userId: string, webhookId: string): Promise<boolean>;
	/** Keeps a delivery durably. */
	keep(ref: DeliveryRef, delivery: Delivery, body: string): Promise<KeepAnswer>;
	/** Newest first, those only that are within retention. */
	deliveries(userId: string, webhookId: string): Promise<Delivery[]>;
	delivery(ref: DeliveryRef): Promise<{ delivery: Delivery; body: string } | null>;
	/** False: it has changed since `before` was read, or is gone. */
	replace(ref: DeliveryRef, before: Delivery, after: Delivery): Promise<boolean>;
	/** Lists a delivery among those that are due at `atMs`; null: it is due no more. */
	index(ref: DeliveryRef, atMs: number | null): Promise<void>;
	overdue(atMs: number, limit: number): Promise<DeliveryRef[]>;
	/** Pending deliveries on the next page of the walk that the index has lost. */
	walk(keys: number): Promise<{ ref: DeliveryRef; delivery: Delivery }[]>;
}

/** Jobs are hints: whoever gets one looks at the delivery's record. */
export interface DeliveryHints {
	/** Equal ones count once. */
	deliver(ref: DeliveryRef, delayMs: number): Promise<void>;
	forget(ref: DeliveryRef): Promise<void>;
}
