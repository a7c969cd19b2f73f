import { Counter, Histogram, Registry } from "prom-client";
import type { ApiMeter } from "../api/deps.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What only this process can count: the requests that it answers. */
export function createMeter(): ApiMeter & { registry: Registry } {
	const registry = new Registry();
	const registers = [registry];
	const requests = new Histogram({
		name: "http_request_duration_seconds",
		help: "Time from a request's arrival to its answer, by path template; this process",
		labelNames: ["route", "method", "status"],
		buckets: SECONDS,
		registers,
	});
	const refused = new Counter({
		name: "limiter_refused_total",
		help: "Calls that a rate limit refused, by its rule; this process",
		labelNames: ["rule"],
		registers,
	});
	// Looking a series up by its labels costs more than counting; there are as many as routes, methods and statuses.
	const series = new Map<string, ReturnType<typeof requests.labels>>();
	return {
		registry,
		request(route, method, status, durationMs) {
			const name = `${status}${method}${route}`;
			const known = series.get(name) ?? requests.labels(route, method, String(status));
			series.set(name, known);
			known.observe(durationMs / 1000);
		},
		limiterRefused: (rule) => refused.inc({ rule }),
	};
}
