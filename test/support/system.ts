import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { StrategyReport } from "../../machines/events.ts";
import type { ScanInput } from "../../machines/types.ts";
import { systemClock } from "../../src/clock.ts";
import { type CommandDeps, createCommands } from "../../src/commands.ts";
import type { Effects, FetchedPortfolio, Ranked } from "../../src/effects/contract.ts";
import { book } from "../../src/runtime/booking.ts";
import { createRuntime, type RunAnswer, type Runtime, type RuntimeDeps } from "../../src/runtime/runtime.ts";
import type { ScanCommands, StartRequest } from "../../src/services.ts";
import type { ScanRecord, Viewer } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { projections } from "../../src/views/projections.ts";
import { limits, scanInput, tally } from "./scan-input.ts";
import { ASSUMED_PORTFOLIO } from "./scan-walk.ts";
import { testLogger } from "./store.ts";

/** The portfolio of a user who has never stored one. */
export const assumedPortfolio = (): FetchedPortfolio => ({
	portfolio: ASSUMED_PORTFOLIO,
	attachments: { portfolio: { positions: [], cash_usd: 0, version: 0, capital_usd: 10_000, assumed: true } },
});

/**
 * Effects that answer at once; each can be replaced by one that hangs, counts or fails. Scans that are made as claimed are
 * made with their portfolios, unless it is replaced how those are fetched.
 */
export const quickEffects = (overrides: Partial<Effects> = {}): Effects => ({
	fetchPortfolio: async () => assumedPortfolio(),
	...(overrides.fetchPortfolio ? {} : { portfolioAtOnce: assumedPortfolio }),
	async discoverAssets() {
		return {
			assets: {
				total_assets: 2,
				tiers: { tier_institutional: 2 },
				excluded: {},
				sources: [{ name: "test", ok: true, error: null, assets: 2 }],
				universe_ref: "ref",
				as_of_ms: 1,
				data_source: { kind: "recorded" as const, name: "test", as_of: null },
				filters_unmatched: [],
				duration_ms: 1,
			},
			attachments: {},
		};
	},
	async evaluateStrategy(effect) {
		const id = `${effect.strategy_id}-row`;
		return {
			report: foundReport(effect),
			attachments: { rows: new Map([[id, { opportunity_id: id, strategy_id: effect.strategy_id }]]) },
		};
	},
	async rankOpportunities(context) {
		return rankedNow(context.scan, await context.rows());
	},
	...overrides,
});

/** A ranking that waits for nothing and cuts nothing: the ids in their order. */
export const rankedNow = (_scan: unknown, rows: ReadonlyMap<string, unknown>): Ranked => ({
	ranking: {
		ranked_count: rows.size,
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "skipped",
		duration_ms: 0,
	},
	attachments: { documents: { ranking: { ranked: [...rows.keys()].sort(), unproven: [], recommendations: [] } } },
});

/** Rows with what a list of scans shows of them. */
export const listableRows: Partial<Effects> = {
	async evaluateStrategy(effect) {
		const id = `${effect.strategy_id}-row`;
		const row = { opportunity_id: id, strategy_id: effect.strategy_id, symbol: "BTC/USDT" };
		return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
	},
};

export const foundReport = ({ strategy_id, attempt }: { strategy_id: string; attempt: number }): StrategyReport => ({
	strategy_id,
	attempt,
	kind: "finished",
	degraded: null,
	tally: tally({ candidates_total: 2, evaluated: 2, row_ids: [`${strategy_id}-row`], rejected: { no_trigger: 1 } }),
});

export const never = (signal: AbortSignal): Promise<never> =>
	new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

export const settings = { lease_ms: 2_000, heartbeat_ms: 300 };

export function runtimeOn(store: ScanStore, effects: Effects, overrides: Partial<RuntimeDeps> = {}): Runtime {
	return createRuntime({
		workerId: `worker-${randomUUID().slice(0, 8)}`,
		capacity: 50,
		nonce: randomUUID,
		writer: store.writer,
		reader: store.reader,
		effects,
		projections,
		clock: systemClock,
		log: testLogger(),
		settings,
		onEnded: (record) => book(store.writer, record, 1_000),
		...overrides,
	});
}

/** As the queue does: a scan whose start is not over yet is asked for again. */
export async function runOnceAccepted(runtime: Pick<Runtime, "run">, scanId: string): Promise<RunAnswer> {
	for (;;) {
		const answer = await runtime.run(scanId);
		if (answer !== "unaccepted") return answer;
		await pause(5);
	}
}

export const viewer = (user = 1): Viewer => ({
	user_id: `00000000-0000-4000-8000-${String(user).padStart(12, "0")}`,
	role: "admin",
});

export const startRequest = (overrides: Partial<StartRequest> = {}): StartRequest => ({
	filters: {},
	filter_key: "all",
	filters_unmatched: [],
	force_refresh: false,
	include_strategy_recommendations: true,
	...overrides,
});

/** Commands over the store with an account that owns what `scanInput` plans. */
export function commandsOn(
	store: ScanStore,
	enqueue: (scanId: string) => Promise<void>,
	overrides: Partial<CommandDeps> = {},
): ScanCommands {
	return createCommands(commandDeps(store, enqueue, overrides));
}

export function commandDeps(
	store: ScanStore,
	enqueue: CommandDeps["enqueue"],
	overrides: Partial<CommandDeps> = {},
): CommandDeps {
	const sample: ScanInput = scanInput();
	return {
		writer: store.writer,
		reader: store.reader,
		projections,
		apply: { writer: store.writer, projections, nonce: randomUUID, settings, workerId: "api" },
		accounts: {
			byId: async (user_id) => ({
				user_id,
				email: "a@b.c",
				full_name: null,
				role: "admin",
				status: "active",
				strategy_ids: sample.profile.strategy_ids,
				created_at: "2026-01-01T00:00:00.000Z",
				last_login: null,
				premium_welcome: false,
				onboarded_at: null,
			}),
		},
		portfolios: {
			get: async () => ({ positions: [], cash_usd: 0, version: 0, updated_at: null }),
			put: async () => null,
		},
		policies: { list: async () => [] },
		profileOf: () => sample.profile,
		available: new Set(sample.profile.strategy_ids.slice(0, 3)),
		enqueue,
		queued: async () => 0,
		newScanId: () => `scan_${randomUUID().replaceAll("-", "")}`,
		book: (record: ScanRecord) => book(store.writer, record, 1_000),
		settings: { limits: limits(), force_join_ms: 5_000, fresh_ms: 60_000, queue_max: 1_000 },
		...overrides,
	};
}
