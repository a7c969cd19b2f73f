import { Around } from "../../components/states.ts";
import { get, type Json } from "../../lib/api.ts";
import { clockTime, duration, number, percent, share, time, words } from "../../lib/format.ts";
import { html } from "../../lib/html.ts";
import { type Loaded, useInterval, useLoad } from "../../lib/load.ts";
import { linkTo } from "../../lib/router.ts";
import { isAdmin } from "../../lib/session.ts";
import { People } from "./people.ts";
import { StuckList } from "./stuck.ts";

const EVERY_MS = 5_000;

/** `#/operate`: how the system is. */
export function Operate() {
	return html`<h1>Operate</h1>${
		isAdmin.value
			? html`<${System} />`
			: html`<div class="card" role="alert">
					<p class="bad">403: this page is for admins. Your login may not see other people's scans or the system's parts.</p>
					<p><a href="#/inspect">Inspect your own scans</a></p>
				</div>`
	}`;
}

const useRead = (path: string): Loaded<Json> => useLoad(path, async (signal) => (await get(path, { signal })).body);

function System() {
	const stuck = useRead("/scan-diagnostics/stuck-scans");
	const system = useRead("/scan-diagnostics/system");
	const metrics = useRead("/opportunities/metrics");
	const scans = useRead("/scan-diagnostics/scan-metrics?include_daily_stats=true");
	const all = [stuck, system, metrics, scans];
	useInterval(EVERY_MS, () => {
		for (const read of all) if (!read.loading) read.reload();
	});
	return html`
		<p class="muted">
			Read every 5 seconds while this tab is visible${stuck.value && `; last at ${clockTime(stuck.value.timestamp)} UTC`}.
		</p>
		<h2>Stuck scans</h2>
		<${Around} of=${stuck} what="the stuck scans" show=${(body: Json) => html`<${StuckList} scans=${body.scans} reload=${stuck.reload} />`} />
		<${Around} of=${system} what="the system" show=${(body: Json) => html`<${Parts} system=${body} />`} />
		<h2>Today</h2>
		<${Around} of=${metrics} what="the metrics" show=${(body: Json) => html`<${Today} metrics=${body} />`} />
		<h2>Newest scans of everyone</h2>
		<${Around} of=${scans} what="the newest scans" show=${(body: Json) => html`<${Recent} scans=${body.recent_scans} />`} />
		<h2>Scans of an account</h2>
		<${People} />
	`;
}

function Figure({ name, value, tone = "" }: { name: string; value: unknown; tone?: string }) {
	return html`<div class="card figure"><dt>${name}</dt><dd class=${tone}>${value}</dd></div>`;
}

function Parts({ system }: { system: Json }) {
	const { workers, queue, redis, sweeper, sources } = system;
	return html`
		<h2>Parts</h2>
		<dl class="figures">
			<${Figure} name="Queue" value=${`${queue.waiting} waiting, ${queue.active} active`} />
			<${Figure} name="Oldest wait" value=${duration(queue.oldest_wait_ms)} />
			<${Figure} name="Redis" value=${redis.ok ? `up, ${redis.kind}` : "down"} tone=${redis.ok ? "good" : "bad"} />
			<${Figure} name="Redis latency" value=${duration(redis.latency_ms)} />
			<${Figure} name="Redis memory" value=${megabytes(redis.used_memory_bytes)} />
			<${Figure} name="Last sweep" value=${sweeper.last_pass_at === null ? "never" : `${duration(sweeper.age_ms)} ago`} tone=${sweeper.last_pass_at === null ? "warn" : ""} />
		</dl>
		<h3>Market sources</h3>
		${
			sources.length === 0
				? html`<p class="muted">No source has been asked yet.</p>`
				: html`<ul>${sources.map(
						({ source, ok, breaker_open }: Json) =>
							html`<li key=${source}><span class="mono">${source}</span>: <span class=${ok ? "good" : "bad"}>${ok ? "up" : "down"}</span>${breaker_open && ", circuit breaker open"}</li>`,
					)}</ul>`
		}
		<h3>Workers</h3>
		${
			workers.length === 0
				? html`<p class="bad">No worker is running: scans wait in the queue.</p>`
				: html`<div class="scroll" tabindex="0" role="region" aria-label="Workers"><table>
						<thead><tr><th>Worker</th><th>Version</th><th>Started</th><th>Last seen (UTC)</th><th class="right">Scans</th><th>State</th></tr></thead>
						<tbody>${workers.map(
							(worker: Json) =>
								html`<tr key=${worker.worker_id}>
									<td class="mono">${worker.worker_id}</td><td>${worker.version}</td><td>${time(worker.started_at)}</td>
									<td>${clockTime(worker.last_seen_at)}</td><td class="right">${worker.scans_active}</td>
									<td>${worker.draining ? "draining" : "working"}</td>
								</tr>`,
						)}</tbody>
					</table></div>`
		}
	`;
}

const megabytes = (bytes: unknown): string =>
	typeof bytes === "number" ? `${number(bytes / 1024 / 1024, 1)} MB` : "–";

function Today({ metrics }: { metrics: Json }) {
	const tone = metrics.system_status === "operational" ? "good" : metrics.system_status === "degraded" ? "warn" : "bad";
	return html`<dl class="figures">
		<${Figure} name="System" value=${words(metrics.system_status)} tone=${tone} />
		<${Figure} name="Scans active" value=${number(metrics.active_scans)} />
		<${Figure} name="Scans queued" value=${number(metrics.queued_scans)} />
		<${Figure} name="Scans today" value=${number(metrics.scans_today)} />
		<${Figure} name="Success" value=${percent(metrics.success_rate)} />
		<${Figure} name="Errors" value=${number(metrics.daily_errors)} tone=${metrics.daily_errors > 0 ? "bad" : ""} />
		<${Figure} name="Timeouts" value=${number(metrics.timeouts_today)} tone=${metrics.timeouts_today > 0 ? "warn" : ""} />
		<${Figure} name="Duration, median" value=${duration(metrics.p50_ms)} />
		<${Figure} name="Duration, 95 %" value=${duration(metrics.p95_ms)} />
		<${Figure} name="Cache hits" value=${share(metrics.cache_hit_rate)} />
	</dl>`;
}

function Recent({ scans }: { scans: Json[] }) {
	if (scans.length === 0) return html`<p class="muted">No scan has ended yet.</p>`;
	return html`<div class="scroll" tabindex="0" role="region" aria-label="Newest scans"><table>
		<thead><tr><th>Scan</th><th class="right">Opportunities</th><th class="right">Took</th><th>Updated</th></tr></thead>
		<tbody>${scans.map(
			(scan) =>
				html`<tr key=${scan.scan_id}>
					<td><a class="mono" href=${linkTo("inspect", scan.scan_id)}>${scan.scan_id}</a></td>
					<td class="right">${scan.opportunities_count}</td><td class="right">${duration(scan.execution_time_ms)}</td><td>${time(scan.last_updated)}</td>
				</tr>`,
		)}</tbody>
	</table></div>`;
}
