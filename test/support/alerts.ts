import { ApiError } from "../../src/errors.ts";
import type { ScheduleBook } from "../../src/schedules/schedule-book.ts";
import type { WebhookBook } from "../../src/webhooks/webhook-book.ts";

/** Schedules and webhooks of somebody who has none. */
export function noAlerts(): { schedules: ScheduleBook; webhooks: WebhookBook } {
	const none = (code: "schedule_not_found" | "webhook_not_found" | "limit_reached") => async (): Promise<never> => {
		throw new ApiError(code);
	};
	const noSchedule = none("schedule_not_found");
	const noWebhook = none("webhook_not_found");
	return {
		schedules: {
			create: none("limit_reached"),
			list: async () => [],
			get: noSchedule,
			change: noSchedule,
			remove: noSchedule,
		},
		webhooks: {
			create: none("limit_reached"),
			list: async () => [],
			ids: async () => [],
			get: noWebhook,
			change: noWebhook,
			remove: noWebhook,
			deliveries: noWebhook,
			replay: noWebhook,
			dropDeliveries: async () => undefined,
		},
	};
}
