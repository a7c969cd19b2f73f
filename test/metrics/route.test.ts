import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createMetrics } from "../../src/metrics/index.ts";
import { startWorld, type TestApi, within } from "../support/api.ts";
import { isProblem } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;

const TOKEN = "a-metrics-token";
/** A store that answers, or (broken) one that is away. */
const storeOf = (broken = false) => {
	const answer = async <T>(value: T): Promise<T> => {
		if (broken) throw new Error("connection refused");
		return value;
	};
	return {
		statistics: { activeScans: () => answer({ active: 2, queued: 1 }), workers: () => answer([]) },
		monitoring: {
			totals: () => answer({ scans_started: 7 }),
			oldestHeartbeatMs: () => answer(null),
			oldestUnclaimedMs: () => answer(-1_500),
			lastSweepMs: () => answer(-250),
		},
		probe: () => answer(2),
		clock: { now: () => 0 },
	} as unknown as Parameters<typeof createMetrics>[0]["store"];
};

const test = suite("metrics: /metrics");
test.before(async () => {
	world = await startWorld();
});
test.after(() => world.stop());

async function served(
	options: Partial<Parameters<typeof createMetrics>[0]> = {},
	config: { trustProxyHops?: number; healthOnly?: boolean } = {},
): Promise<TestApi> {
	const metrics = createMetrics({
		store: storeOf(),
		stuck: async () => 3,
		loopback: true,
		token: null,
		clock: systemClock,
		...options,
	});
	return world.second({ deps: { meter: metrics.meter, rootRoutes: [metrics.route] }, config });
}

test(
	"open on loopback: the figures of all processes beside those of this one",
	within(8000, async () => {
		const api = await served();
		await api.call("GET", "/api/v1/auth/me");
		await api.call("GET", "/api/v1/no/such/thing");
		const answer = await api.call("GET", "/metrics");
		assert.is(answer.status, 200);
		assert.is(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
		assert.match(answer.text, "scans_started_total 7");
		assert.match(answer.text, "scans_active 2");
		for (const sample of [
			"scans_stuck 3",
			"scan_queue_oldest_seconds 1.5",
			"sweep_age_seconds 0.25",
			"redis_latency_seconds 0.002",
		])
			assert.match(answer.text, sample);
		const unmatched = /^http_request_duration_seconds_count\{route="unmatched",method="GET",status="401"\} 2$/m;
		assert.match(answer.text, unmatched, "paths that strangers make up are one route");
		assert.is(answer.headers["x-ratelimit-limit"], undefined, "a scrape is not counted");
	}),
);

test(
	"elsewhere only with the token, and not there at all without one",
	within(8000, async () => {
		const closed = await served({ loopback: false });
		isProblem(
			await closed.call("GET", "/metrics", { headers: { authorization: `Bearer ${TOKEN}` } }),
			404,
			"not_found",
		);
		const guarded = await served({ loopback: false, token: TOKEN });
		isProblem(await guarded.call("GET", "/metrics"), 401, "authentication_required");
		for (const given of [TOKEN.slice(0, -1), "x", TOKEN.toUpperCase()])
			isProblem(await guarded.call("GET", "/metrics", { token: given }), 401, "token_invalid");
		assert.is((await guarded.call("GET", "/metrics", { token: TOKEN })).status, 200);
	}),
);

test(
	"behind a trusted proxy on this machine, the proxy's clients do not count as this machine",
	within(8000, async () => {
		const api = await served({}, { trustProxyHops: 1 });
		const from = (address: string) => api.call("GET", "/metrics", { headers: { "x-forwarded-for": address } });
		isProblem(await from("203.0.113.9"), 404, "not_found");
		assert.is((await from("127.0.0.1")).status, 200);
	}),
);

test(
	"a process that only watches its health serves it, and nothing of users",
	within(8000, async () => {
		const api = await served({}, { healthOnly: true });
		for (const path of ["/metrics", "/livez", "/readyz"]) assert.is((await api.call("GET", path)).status, 200, path);
		assert.is((await api.call("POST", "/api/v1/auth/login", { body: {} })).status, 401);
		assert.is((await api.call("GET", "/openapi.json")).status, 401);
	}),
);

test(
	"without Redis its own figures are there, and while draining it still answers",
	within(8000, async () => {
		const api = await served({ store: storeOf(true) });
		await api.call("GET", "/livez");
		api.app.beginShutdown();
		const answer = await api.call("GET", "/metrics");
		assert.is(answer.status, 200);
		assert.match(answer.text, 'http_request_duration_seconds_count{route="/livez",method="GET",status="200"} 1');
		assert.not.match(answer.text, /^scans_started_total/m);
	}),
);

test.run();
