import { type RotationCounts, resealAll } from "../sealing/rotation.ts";
import type { WebhookStore } from "./contract.ts";
import type { SealingBox } from "./sealing-box.ts";
import { WEBHOOKS_MAX } from "./webhook-book.ts";

/** Seals every secret of these users' webhooks anew with the first key, those that were kept as they are too. */
export function rotateWebhooks(
	users: AsyncIterable<string>,
	store: Pick<WebhookStore, "list" | "read" | "save">,
	box: SealingBox,
): Promise<RotationCounts> {
	return resealAll(users, {
		list: store.list,
		again: (userId, { webhook_id }) => store.read(userId, webhook_id),
		isCurrent: ({ secret }) => box.isCurrent(secret),
		resealed(userId, webhook) {
			const secret = box.reseal({ user_id: userId, webhook_id: webhook.webhook_id }, webhook.secret);
			return secret === null ? null : { ...webhook, secret };
		},
		async replace(userId, before, after) {
			const answer = await store.save(userId, after, before, WEBHOOKS_MAX);
			if (answer === "saved") return "replaced";
			return answer === "changed" ? "changed" : "gone";
		},
	});
}
