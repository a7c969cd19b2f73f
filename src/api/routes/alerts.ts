import type { ScheduleBook } from "../../schedules/schedule-book.ts";
import type { WebhookBook } from "../../webhooks/webhook-book.ts";
import type { RouteSpec } from "../route.ts";
import type { ParseFilters } from "./scans.ts";
import { scheduleRoutes } from "./schedules.ts";
import { webhookRoutes } from "./webhooks.ts";

export interface AlertRoutesDependencies {
	schedules: ScheduleBook;
	webhooks: WebhookBook;
	parseFilters: ParseFilters;
}

/** Recurring scans and webhooks; each user sees the own ones only. */
export const createAlertRoutes = (dependencies: AlertRoutesDependencies): RouteSpec[] => [
	...scheduleRoutes(dependencies),
	...webhookRoutes(dependencies),
];
