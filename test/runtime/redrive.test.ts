import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { quickEffects } from "../support/system.ts";

const redrive = suite("redrive: good answers are kept, the others are sought again");

const MOMENTUM = "ai_spot_momentum_strategy";
const REVERSION = "ai_spot_mean_reversion";
const BREAKOUT = "ai_spot_breakout_strategy";

let world: LiveWorld;
let api: TestApi;
redrive.before(async () => {
	world = await startLiveWorld();
	api = await world.api({ config: { rate: { discoverMax: 1_000, onboardMax: 100, otherMax: 100_000 } } });
});
redrive.after(() => world.stop());

const SCANS = "/api/v1/opportunities/scans";
const record = async (scanId: unknown): Promise<ScanRecord> => {
	const found = await world.store.reader.read(String(scanId));
	if (!found) throw new Error(`${scanId} is not found`);
	return found;
};

/** Effects in which these strategies fail for good. */
const failing = (...ids: string[]): Partial<Effects> => ({
	async evaluateStrategy(effect, context) {
		if (!ids.includes(effect.strategy_id)) return quickEffects().evaluateStrategy(effect, context);
		const error = { code: "fetch_failed", message: "the source is down", retryable: false };
		const { strategy_id, attempt } = effect;
		return {
			report: { strategy_id, attempt, kind: "failed", error, reason: "fetch_failed", tally: null },
			attachments: {},
		};
	},
});

async function scanWith(effects: Partial<Effects>, body: object = {}) {
	const user = await api.userWith("trader");
	const started = await api.call("POST", "/api/v1/opportunities/discover", { token: user.token, body });
	const scanId = String(started.json["scan_id"]);
	await world.runtime(effects).run(scanId);
	return { user, scanId };
}

redrive(
	"by default what failed runs again; verdicts and rows of the others come along; the old scan stays as it was",
	within(20_000, async () => {
		const { user, scanId } = await scanWith(failing(BREAKOUT));
		const before = await record(scanId);
		const answer = await api.call("POST", `${SCANS}/${scanId}/redrive`, { token: user.token });
		assert.is(answer.status, 202, answer.text);
		assert.is(answer.headers["retry-after"], "3");
		assert.is(answer.headers["location"], answer.json["poll_url"]);
		const next = String(answer.json["scan_id"]);
		assert.is.not(next, scanId);
		const ran: string[] = [];
		await world
			.runtime({
				evaluateStrategy(effect, context) {
					ran.push(effect.strategy_id);
					return quickEffects().evaluateStrategy(effect, context);
				},
			})
			.run(next);
		assert.equal(ran, [BREAKOUT]);
		const results = await api.call("GET", `/api/v1/opportunities/results/${next}`, { token: user.token });
		assert.is(results.status, 200, results.text);
		const rows = (results.json["opportunities"] as { strategy_id: string }[]).map((row) => row.strategy_id).sort();
		assert.equal(rows, [BREAKOUT, REVERSION, MOMENTUM].sort());
		assert.is((results.json["metadata"] as { redrive_of: string }).redrive_of, scanId);
		const verdicts = results.json["strategy_results"] as Record<string, unknown>[];
		const of = (id: string) => verdicts.find((verdict) => verdict["strategy_id"] === id);
		assert.is(of(MOMENTUM)?.["carried_over_from"], scanId);
		assert.is(of(MOMENTUM)?.["started_at"], new Date(before.context.strategies[0]?.started_at_ms ?? 0).toISOString());
		assert.is(of(BREAKOUT)?.["carried_over_from"], null);
		assert.is(of(BREAKOUT)?.["verdict"], "ok_found");
		assert.equal(await record(scanId), before, "the old scan never changes");
	}),
);

redrive(
	"chosen strategies run again and a failure of another is carried over as it was, through any number of redrives",
	within(20_000, async () => {
		const { user, scanId } = await scanWith(failing(BREAKOUT));
		const one = await api.call("POST", `${SCANS}/${scanId}/redrive`, {
			token: user.token,
			body: { strategy_ids: "spot_momentum_strategy" },
		});
		assert.is(one.status, 202, one.text);
		await world.runtime().run(String(one.json["scan_id"]));
		const two = await api.call("POST", `${SCANS}/${one.json["scan_id"]}/redrive`, {
			token: user.token,
			body: { strategy_ids: ["AI Momentum Trading"] },
		});
		await world.runtime().run(String(two.json["scan_id"]));
		const { context } = await record(two.json["scan_id"]);
		const breakout = context.strategies.find((entry) => entry.strategy_id === BREAKOUT);
		assert.is(breakout?.verdict, "failed");
		assert.is(breakout?.carried_over_from, scanId, "the scan that reached the verdict keeps its name");
		assert.is(context.outcome, "found_with_gaps");
		const statistics = await world.store.statistics.recentScans(1);
		assert.is(statistics[0]?.strategies_scanned, 1, "carried strategies were not scanned again");
	}),
);

redrive(
	"what cannot be redriven says why",
	within(20_000, async () => {
		const { user, scanId } = await scanWith({});
		const path = `${SCANS}/${scanId}/redrive`;
		const nothing = await api.call("POST", path, { token: user.token });
		assert.is(nothing.json["code"], "nothing_to_redrive");
		const strange = await api.call("POST", path, { token: user.token, body: { strategy_ids: ["no such"] } });
		assert.is(strange.status, 422);
		assert.equal((strange.json["errors"] as { path: string }[])[0]?.path, "body.strategy_ids.0");
		const running = await api.call("POST", "/api/v1/opportunities/discover", {
			token: user.token,
			body: { force_refresh: true },
		});
		const active = await api.call("POST", path, { token: user.token, body: { strategy_ids: [MOMENTUM] } });
		assert.is(active.status, 409);
		assert.is(active.json["code"], "scan_already_active");
		assert.is(active.json["active_scan_id"], running.json["scan_id"]);
		const early = await api.call("POST", `${SCANS}/${running.json["scan_id"]}/redrive`, { token: user.token });
		assert.is(early.json["code"], "scan_not_terminal");
		const stranger = await api.userWith("trader");
		const theirs = await api.call("POST", path, { token: stranger.token });
		const unknown = await api.call("POST", `${SCANS}/scan_${"0".repeat(32)}/redrive`, { token: stranger.token });
		assert.is(theirs.status, 404);
		const { instance: _a, request_id: _b, ...mine } = theirs.json;
		const { instance: _c, request_id: _d, ...never } = unknown.json;
		assert.equal(mine, never);
	}),
);

redrive(
	"a scan that ended before its strategies were known is run whole; a redriven result is no fresh one",
	within(20_000, async () => {
		const { user, scanId } = await scanWith({
			fetchPortfolio: () => Promise.reject(new Error("down")),
		});
		assert.is((await record(scanId)).position, "failed");
		const answer = await api.call("POST", `${SCANS}/${scanId}/redrive`, { token: user.token });
		assert.is(answer.status, 202, answer.text);
		await world.runtime().run(String(answer.json["scan_id"]));
		assert.is((await record(answer.json["scan_id"])).context.outcome, "found");
		const start = await api.call("POST", "/api/v1/opportunities/discover", { token: user.token });
		assert.is(start.json["from_cache"], false);
	}),
);

redrive(
	"redrive against late results: a holder of the old scan that wakes up can change neither scan",
	within(20_000, async () => {
		const user = await api.userWith("trader");
		const started = await api.call("POST", "/api/v1/opportunities/discover", { token: user.token });
		const scanId = String(started.json["scan_id"]);
		let answerLate: () => void = () => {};
		const late = new Promise<void>((resolve) => {
			answerLate = resolve;
		});
		let evaluating: () => void = () => {};
		const atWork = new Promise<void>((resolve) => {
			evaluating = resolve;
		});
		const holder = world.runtime({
			async evaluateStrategy(effect, context) {
				evaluating();
				await late;
				return quickEffects().evaluateStrategy(effect, context);
			},
		});
		const run = holder.run(scanId);
		await atWork;
		const cancelled = await api.call("POST", `${SCANS}/${scanId}/cancel`, { token: user.token });
		assert.is(cancelled.status, 200, cancelled.text);
		const redriven = await api.call("POST", `${SCANS}/${scanId}/redrive`, { token: user.token });
		assert.is(redriven.status, 202, redriven.text);
		const before = await record(scanId);
		const fresh = await record(redriven.json["scan_id"]);
		answerLate();
		assert.ok(["ended", "fenced"].includes(await run));
		assert.equal(await record(scanId), before);
		assert.equal(await record(redriven.json["scan_id"]), fresh);
		await world.runtime().run(String(redriven.json["scan_id"]));
		assert.is((await record(redriven.json["scan_id"])).position, "completed");
	}),
);

redrive.run();
