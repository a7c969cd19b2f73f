import type { Clock } from "../../clock.ts";
import { ApiError } from "../../errors.ts";
import type { HealthCheck, HealthChecks, RootRoute } from "../deps.ts";

/** A dependency that has not answered by then is down. */
const CHECK_MS = 1000;

type CheckResult = { ok: boolean } & Record<string, unknown>;

/** The check's own answer, or its fallback with ok false when it throws or takes longer than a second. */
export function bounded(check: HealthCheck, clock: Clock): Promise<CheckResult> {
	const failed: CheckResult = { ...check.fallback, ok: false };
	return new Promise((resolve) => {
		const timer = clock.setTimeout(() => resolve(failed), CHECK_MS);
		const settle = (result: CheckResult) => {
			clock.clearTimeout(timer);
			resolve(result);
		};
		Promise.resolve()
			.then(() => check.run())
			.then(
				(result) => settle({ ...check.fallback, ...result }),
				() => settle(failed),
			);
	});
}

async function allChecks(health: HealthChecks, clock: Clock) {
	const [redis, market_data, workers, sweeper] = await Promise.all([
		bounded(health.redis, clock),
		bounded(health.market_data, clock),
		bounded(health.workers, clock),
		bounded(health.sweeper, clock),
	]);
	return { redis, market_data, workers, sweeper };
}

/** /livez and /readyz: not counted, not authenticated, answered while draining. */
export function healthRoutes(health: HealthChecks, clock: Clock, draining: () => boolean): RootRoute[] {
	return [
		{
			path: "/livez",
			rate: "none",
			health: true,
			handler: async () => ({ status: 200, body: { status: "ok" }, cache_control: "no-store" }),
		},
		{
			path: "/readyz",
			rate: "none",
			health: true,
			async handler() {
				const checks = await allChecks(health, clock);
				if (draining()) throw new ApiError("shutting_down", undefined, { status: "not_ready", checks });
				if (!checks.redis.ok) throw new ApiError("store_unavailable", undefined, { status: "not_ready", checks });
				const ready = Object.values(checks).every((check) => check.ok) && checks.redis["kind"] !== "memory";
				return { status: 200, body: { status: ready ? "ready" : "degraded", checks }, cache_control: "no-store" };
			},
		},
	];
}
