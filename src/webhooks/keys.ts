/** Every Redis key about webhooks. Those of one user share the hash tag `{user_id}` with the user's other keys. */

/** Hash: webhook_id -> StoredWebhook (JSON), its secret sealed. */
export const webhooksKey = (userId: string): string => `alert_webhooks:{${userId}}`;
/** Glob of every user's webhooks. */
export const WEBHOOKS_GLOB = "alert_webhooks:{*}";
/** Hash: delivery_id -> Delivery (JSON). */
export const deliveriesKey = (userId: string, webhookId: string): string => `alert_deliveries:{${userId}}:${webhookId}`;
/** Hash: delivery_id -> body as it is sent. */
export const bodiesKey = (userId: string, webhookId: string): string => `alert_bodies:{${userId}}:${webhookId}`;
/** Glob of the deliveries, for the walk that repairs the index. */
export const DELIVERIES_GLOB = "alert_deliveries:{*";

/** Sorted set: `<user_id> <webhook_id> <delivery_id>` of pending deliveries by their next attempt. */
export const deliveriesDueKey = "alert_deliveries_due";
/** String: where the walk goes on (SCAN cursor). */
export const deliveryWalkKey = "alert_deliveries_walk";

export function ownerOfDeliveriesKey(key: string): { user_id: string; webhook_id: string } {
	const [, user_id = "", webhook_id = ""] = /^alert_deliveries:\{([^}]*)\}:(.*)$/.exec(key) ?? [];
	return { user_id, webhook_id };
}
