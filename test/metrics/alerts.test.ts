import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createMetrics } from "../../src/metrics/index.ts";
import { startWorld, within } from "../support/api.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const read = (name: string): string => readFileSync(join(DOCS, name), "utf8");

/** Words of PromQL that stand where a metric could; `up` is Prometheus' own. */
const NOT_METRICS = new Set(["absent", "increase", "rate", "sum", "by", "max", "histogram_quantile", "up"]);

interface Rule {
	alert: string;
	expr: string;
	lines: string[];
}

/** The rules file is read by its layout: one `expr` on one line per alert. */
function rulesOf(text: string): Rule[] {
	return text
		.split(/^ {6}- alert: /m)
		.slice(1)
		.map((block) => {
			const lines = block.split("\n").filter((line) => line.trim() !== "");
			const expr = lines.find((line) => line.startsWith("        expr: "))?.slice("        expr: ".length) ?? "";
			return { alert: (lines[0] ?? "").trim(), expr, lines };
		});
}

/** Metric names of an expression with the labels it asks for. */
function metricsOf(expr: string): { name: string; labels: { label: string; value: string }[] }[] {
	const bare = expr.replace(/ by \([^)]*\)/g, "");
	return [...bare.matchAll(/([a-z_]+)(\{([^}]*)\})?/g)]
		.filter(([, name = ""], i, all) => !NOT_METRICS.has(name) && !insideBraces(bare, all[i]?.index ?? 0))
		.map(([, name = "", , labels = ""]) => ({
			name,
			labels: [...labels.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = "", value = ""]) => ({ label, value })),
		}))
		.filter(({ name }) => name.length > 3);
}

const insideBraces = (text: string, at: number): boolean => {
	const before = text.slice(0, at);
	return before.lastIndexOf("{") > before.lastIndexOf("}") || before.lastIndexOf("[") > before.lastIndexOf("]");
};

let redis: TestRedis;
let world: Awaited<ReturnType<typeof startWorld>>;
let scraped = "";

const alerts = suite("alerts: every rule looks at what /metrics shows");
alerts.before(async () => {
	redis = await startTestRedis();
	world = await startWorld();
	const store = await redis.store();
	const ended = await commandsOn(store, async () => {}).startScan(viewer(1), startRequest());
	await runtimeOn(store, quickEffects()).run(ended.scan_id);
	const hung = await commandsOn(store, async () => {}).startScan(viewer(2), startRequest());
	const hanging = runtimeOn(store, quickEffects({ fetchPortfolio: ({ signal }) => never(signal) }));
	const run = hanging.run(hung.scan_id);
	await store.writer.noteWorker({
		worker_id: "w",
		version: "0",
		started_at_ms: store.clock.now(),
		last_seen_at_ms: store.clock.now(),
		scans_active: 0,
		draining: false,
		market: { calls: 2, hits: 1, sources: [{ source: "simulated:1", ok: true, breaker_open: false }] },
	});
	await store.writer.addTotals({ "source_requests|simulated:1|ok": 1, "strategy_verdicts|x|timed_out": 1 });
	await store.writer.noteSweep();
	const metrics = createMetrics({
		store,
		stuck: async () => 0,
		loopback: true,
		token: null,
		clock: systemClock,
	});
	metrics.meter.limiterRefused("login");
	for (const status of [500, 503]) metrics.meter.request("/x", "GET", status, 1);
	const api = await world.second({ deps: { meter: metrics.meter, rootRoutes: [metrics.route] } });
	scraped = (await api.call("GET", "/metrics")).text;
	await hanging.handOver();
	await run;
});
alerts.after(async () => {
	await world.stop();
	await redis.close();
});

alerts(
	"each expression names metrics and label values that a running server has",
	within(10_000, async () => {
		const samples = scraped.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
		const rules = rulesOf(read("alerts.yml"));
		assert.ok(rules.length >= 20, `${rules.length} rules`);
		for (const { alert, expr } of rules) {
			const metrics = metricsOf(expr);
			if (!expr.startsWith("up{")) assert.ok(metrics.length > 0, `${alert}: ${expr}`);
			for (const { name, labels } of metrics) {
				const own = samples.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
				assert.ok(own.length > 0, `${alert}: /metrics has no ${name}`);
				for (const { label, value: values } of labels)
					for (const value of values.split("|"))
						assert.ok(
							own.some((line) => line.includes(`${label}="${value}"`)),
							`${alert}: no ${name} with ${label}="${value}"`,
						);
			}
		}
	}),
);

alerts("rules have the parts that Prometheus wants, and are documented one by one", () => {
	const documented = read("monitoring.md");
	const rules = rulesOf(read("alerts.yml"));
	assert.is(new Set(rules.map(({ alert }) => alert)).size, rules.length);
	for (const { alert, lines } of rules) {
		assert.match(alert, /^Lookout[A-Za-z]+$/);
		for (const part of ["expr: ", "for: ", "labels: { severity: ", "annotations:"])
			assert.is(lines.filter((line) => line.startsWith(`        ${part}`)).length, 1, `${alert}: ${part}`);
		for (const part of ["summary: ", "action: "])
			assert.is(lines.filter((line) => line.startsWith(`          ${part}"`)).length, 1, `${alert}: ${part}`);
		assert.ok(documented.includes(`\`${alert}\``), `${alert} is not in monitoring.md`);
	}
});

alerts("every metric of /metrics is documented, and nothing that is not there", () => {
	const served = [...scraped.matchAll(/^# TYPE (\w+) /gm)].map(([, name = ""]) => name).sort();
	const documented = [...read("monitoring.md").matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = ""]) => name).sort();
	assert.equal(documented, served);
});

alerts.run();
