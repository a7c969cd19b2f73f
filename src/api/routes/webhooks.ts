import { SCAN_STARTERS } from "../../accounts/permissions.ts";
import type { WebhookBook, WebhookFields } from "../../webhooks/webhook-book.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	changeWebhookBody,
	createWebhookBody,
	createWebhookReply,
	deliveriesQuery,
	deliveriesReply,
	deliveryParams,
	deliveryReply,
	webhookParams,
	webhookReply,
	webhooksReply,
} from "../schemas/webhooks.ts";
import type { AlertRoutesDependencies } from "./alerts.ts";

const common = { tag: "webhooks", rate: "other" } as const;
const write = { ...common, roles: SCAN_STARTERS } as const;
const ONE = "/webhooks/{webhook_id}";
const one = (description: string) => ({ 200: { description, schema: webhookReply } });
const NO_STORE = { cache_control: "no-store" } as const;

const reads = (webhooks: WebhookBook): RouteSpec[] => [
	route({
		...common,
		method: "get",
		path: "/webhooks",
		operation_id: "list_webhooks",
		summary: "The own webhooks, oldest first",
		responses: { 200: { description: "All of them, without their secrets", schema: webhooksReply } },
		handler: async ({ viewer }) => ({
			status: 200,
			body: { success: true, webhooks: await webhooks.list(viewer.user_id) },
		}),
	}),
	route({
		...common,
		method: "get",
		path: ONE,
		operation_id: "get_webhook",
		summary: "One webhook",
		params: webhookParams,
		responses: one("Without its secret"),
		problems: ["webhook_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, webhook: await webhooks.get(viewer.user_id, params.webhook_id) },
		}),
	}),
	route({
		...common,
		method: "get",
		path: `${ONE}/deliveries`,
		operation_id: "list_deliveries",
		summary: "What was and is to be delivered, newest first; status=dead lists dead letters",
		params: webhookParams,
		query: deliveriesQuery,
		responses: { 200: { description: "Those that are kept", schema: deliveriesReply } },
		problems: ["webhook_not_found", "validation_failed"],
		async handler({ viewer, params, query }) {
			const { webhook_id } = params;
			const deliveries = await webhooks.deliveries(viewer.user_id, webhook_id, query.status ?? null, query.limit);
			return { status: 200, body: { success: true, deliveries } };
		},
	}),
];

const writes = (webhooks: WebhookBook): RouteSpec[] => [
	route({
		...write,
		method: "post",
		path: "/webhooks",
		operation_id: "create_webhook",
		summary: "Be called when scans end or change",
		body: createWebhookBody,
		responses: { 201: { description: "With the secret of its signatures, this once", schema: createWebhookReply } },
		problems: ["limit_reached", "url_not_allowed", "validation_failed", "token_revoked"],
		async handler({ viewer, body }) {
			const webhook = await webhooks.create(viewer.user_id, body);
			return { status: 201, body: { success: true, webhook }, ...NO_STORE };
		},
	}),
	route({
		...write,
		method: "patch",
		path: ONE,
		operation_id: "change_webhook",
		summary: "Change address or events; the secret stays",
		params: webhookParams,
		body: changeWebhookBody,
		responses: one("As it stands now"),
		problems: ["webhook_not_found", "url_not_allowed", "validation_failed", "token_revoked"],
		async handler({ viewer, params, body }) {
			const fields: WebhookFields = {};
			if (body.url !== undefined) fields.url = body.url;
			if (body.events !== undefined) fields.events = body.events;
			const webhook = await webhooks.change(viewer.user_id, params.webhook_id, fields);
			return { status: 200, body: { success: true, webhook } };
		},
	}),
	route({
		...write,
		method: "delete",
		path: ONE,
		operation_id: "delete_webhook",
		summary: "End a webhook; what was not delivered yet is not delivered any more",
		params: webhookParams,
		responses: one("As it was"),
		problems: ["webhook_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, webhook: await webhooks.remove(viewer.user_id, params.webhook_id) },
		}),
	}),
	route({
		...write,
		method: "post",
		path: `${ONE}/deliveries/{delivery_id}/replay`,
		operation_id: "replay_delivery",
		summary: "Deliver once more, under the same id, with all attempts anew",
		params: deliveryParams,
		responses: { 202: { description: "Pending again", schema: deliveryReply } },
		problems: ["webhook_not_found", "not_found"],
		async handler({ viewer, params }) {
			const delivery = await webhooks.replay(viewer.user_id, params.webhook_id, params.delivery_id);
			return { status: 202, body: { success: true, delivery } };
		},
	}),
];

export const webhookRoutes = ({ webhooks }: AlertRoutesDependencies): RouteSpec[] => [
	...reads(webhooks),
	...writes(webhooks),
];
