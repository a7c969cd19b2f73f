import type { ScanFilters } from "../../machines/types.ts";
import type { StartRequest, StartResult } from "../../src/services.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { type ApiProcess, STRATEGY_IDS } from "./cluster.ts";
import type { Dice } from "./random.ts";
import { type Ask, askAs, cancelCall, type RequestDeps, startOnce, type Told } from "./requests.ts";

export type { Observation } from "./requests.ts";

export interface ClientsDeps extends RequestDeps {
	/** Until when clients start new scans. */
	startsUntilMs: number;
	/** Share of scans that are cancelled. */
	cancels: number;
	/** One scan, never cancelled. */
	single: boolean;
	/** Starts without keys, no redrives, no late reads: what clients of the first version did. */
	plain: boolean;
	retentionMs: number;
}

const FILTERS: readonly [key: string, filters: ScanFilters][] = [
	["all", {}],
	["btc", { symbols: ["BTC/USDT"] }],
];
export const filtersOf = (key: string): ScanFilters => FILTERS.find(([name]) => name === key)?.[1] ?? {};

const startRequest = (key: string, force: boolean): StartRequest => ({
	filters: filtersOf(key),
	filter_key: key,
	filters_unmatched: [],
	force_refresh: force,
	include_strategy_recommendations: true,
});

/** Share of starts and redrives that carry an Idempotency-Key, and of those that are sent again after their answer. */
const KEYED = 0.5;
const REPEATED = 0.3;
const REDRIVEN = 0.3;
/** Answers after which the same request is sent again under its key: nobody knows what became of it. */
const UNDECIDED = new Set(["no_answer", "internal_error", "store_unavailable", "idempotency_in_flight"]);
const TRIES_MAX = 12;
/** Longer retention than this ends after the run. */
const READ_UNTIL_EXPIRED_MS = 60_000;

/** `again` sends the same request once more: it is made when the scan has ended, and must name it all the same. */
type Decided = Told & { again?: () => Promise<Told> };

const NO_WAIT = { waitMs: 0, signal: new AbortController().signal };
const ENDS = ["complete", "failed", "cancelled"];

/** One browser tab: starts scans, polls them on any API process, sometimes cancels, reads the results. */
export async function runClient(deps: ClientsDeps, name: string, userId: string, dice: Dice): Promise<void> {
	const { world } = deps;
	const viewer: Viewer = { user_id: userId, role: "trader" };
	const pause = (ms: number) => new Promise<void>((resolve) => void world.after(ms, null, resolve));
	const ask: Ask = askAs(deps, name, userId, dice);
	const followed: { scanId: string; endedMs: number }[] = [];
	let keys = 0;

	// Half of them begin at the same moment: tabs of one user then race for the claim.
	await pause(dice.chance(0.5) ? 500 : dice.between(0, 4_000));
	while (world.now() < deps.startsUntilMs) {
		const force = dice.chance(0.35) && !deps.single;
		const filters = dice.pick(FILTERS)[0];
		const told = await start(filters, force);
		if (told.outcome !== "ok") {
			await pause(dice.between(50, 1_500));
			continue;
		}
		await follow((told.body as StartResult).scan_id);
		await told.again?.();
		if (deps.single) return;
		await pause(dice.between(10, 6_000));
	}
	if (!deps.plain && deps.retentionMs < READ_UNTIL_EXPIRED_MS) await readUntilExpired();

	function start(filters: string, force: boolean): Promise<Decided> {
		const wanted = startRequest(filters, force);
		if (deps.plain) return ask("start", null, ({ commands }) => commands.startScan(viewer, wanted), { forced: force });
		return decided("start", null, force, (api, key) =>
			startOnce(api, viewer, `/discover?${filters}&${force}`, key, (id) => api.commands.startScan(viewer, wanted, id)),
		);
	}

	/** Sends a request that makes a scan; under a key as often as it takes to learn what became of it. */
	async function decided(
		kind: "start" | "redrive",
		scanId: string | null,
		forced: boolean,
		call: (api: ApiProcess, key: string | null) => Promise<unknown>,
	): Promise<Decided> {
		keys += 1;
		const key = dice.chance(KEYED) ? `${name}.${keys}` : null;
		const send = () => ask(kind, scanId, (api) => call(api, key), { forced, key });
		let told = await send();
		for (let tries = 1; key !== null && UNDECIDED.has(told.outcome) && tries < TRIES_MAX; tries++) {
			await pause(dice.between(20, 3_000));
			told = await send();
		}
		return key !== null && told.outcome === "ok" && dice.chance(REPEATED) ? { ...told, again: send } : told;
	}

	async function follow(scanId: string): Promise<void> {
		const cancelAtMs =
			dice.chance(deps.cancels) && !deps.single ? world.now() + dice.between(0, 4_000) : Number.POSITIVE_INFINITY;
		let tag: string | undefined;
		for (let cancelled = false; ; ) {
			if (!cancelled && world.now() >= cancelAtMs) {
				const answer = await ask("cancel", scanId, cancelCall(viewer, scanId));
				cancelled = answer.outcome === "ok" || answer.outcome === "scan_already_terminal";
			}
			const waitMs = dice.chance(0.3) ? dice.between(500, 8_000) : 0;
			const known = tag;
			const told = await ask("status", scanId, async ({ queries }) => {
				const wait = { waitMs, signal: new AbortController().signal };
				const answer = await queries.scans.status(viewer, scanId, wait, known);
				return { ...JSON.parse(answer.body), etag: answer.etag };
			});
			const status = told.body as { state?: string; etag?: string } | null;
			if (told.outcome === "ok") {
				tag = status?.etag;
				if (ENDS.includes(status?.state ?? "")) break;
			}
			if (told.outcome === "scan_not_found" || told.outcome === "scan_expired") return;
			if (dice.chance(0.15)) await ask("stuck", scanId, ({ queries }) => queries.diagnostics.lifecycle(viewer, scanId));
			await pause(dice.between(5, 1_500));
		}
		await results(scanId);
		followed.push({ scanId, endedMs: world.now() });
		if (!deps.plain && !deps.single && world.now() < deps.startsUntilMs && dice.chance(REDRIVEN)) await redrive(scanId);
	}

	function results(scanId: string): Promise<Told> {
		return ask("results", scanId, async ({ queries }) =>
			JSON.parse(String((await queries.scans.results(viewer, scanId, NO_WAIT)).body)),
		);
	}

	async function redrive(scanId: string): Promise<void> {
		const words = dice.chance(0.5) ? null : [dice.pick(STRATEGY_IDS)];
		const told = await decided("redrive", scanId, false, (api, key) =>
			startOnce(api, viewer, `/scans/${scanId}/redrive?${words}`, key, async (id) => {
				await api.queries.scans.mayRedrive(viewer, scanId);
				return api.commands.redriveScan(viewer, scanId, words, id);
			}),
		);
		if (told.outcome !== "ok") return;
		await follow((told.body as StartResult).scan_id);
		await told.again?.();
	}

	/** Comes back to ended scans around the moment at which their retention ends, and after it. */
	async function readUntilExpired(): Promise<void> {
		for (const { scanId, endedMs } of followed.slice(-4)) {
			for (const aroundMs of [dice.between(-3_000, 500), dice.between(-200, 300), dice.between(500, 5_000)]) {
				await pause(endedMs + deps.retentionMs + aroundMs - world.now());
				const kind = dice.pick(["status", "results", "lifecycle", "cancel", "redrive"] as const);
				if (kind === "results") await results(scanId);
				else if (kind === "cancel") await ask("cancel", scanId, cancelCall(viewer, scanId));
				else if (kind === "lifecycle")
					await ask("stuck", scanId, ({ queries }) => queries.diagnostics.lifecycle(viewer, scanId));
				else if (kind === "redrive" && dice.chance(0.3)) await redrive(scanId);
				else
					await ask("status", scanId, async ({ queries }) =>
						JSON.parse((await queries.scans.status(viewer, scanId, NO_WAIT, undefined)).body),
					);
			}
		}
	}
}
