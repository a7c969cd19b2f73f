import type { ScanFilters } from "../../machines/types.ts";
import { ApiError } from "../../src/errors.ts";
import type { StartRequest, StartResult } from "../../src/services.ts";
import type { Viewer } from "../../src/store/contract.ts";
import type { ApiProcess } from "./cluster.ts";
import type { Dice } from "./random.ts";
import type { Process, World } from "./world.ts";

/** What a client was told, and when it had asked. */
export interface Observation {
	client: string;
	user: string;
	api: string;
	kind: "start" | "status" | "results" | "cancel" | "stuck";
	scanId: string | null;
	sentMs: number;
	receivedMs: number;
	/** ok, or the code of the error; `no_answer`: the connection broke or timed out. */
	outcome: string;
	body: unknown;
	forced: boolean;
}

export interface ClientsDeps {
	world: World;
	/** API processes that answer at this moment, null while one is down. */
	api(index: number): ApiProcess | null;
	apis: number;
	/** Calls back when the process dies. */
	onCrash(process: Process, broken: () => void): () => void;
	observe(observation: Observation): void;
	/** Until when clients start new scans. */
	startsUntilMs: number;
	/** Share of scans that are cancelled. */
	cancels: number;
	/** One scan, never cancelled. */
	single: boolean;
}

const REQUEST_LIMIT_MS = 30_000;
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

type Told = Pick<Observation, "outcome" | "body" | "receivedMs">;

/** A request over the simulated network: answered, refused, broken by a crash, or given up. */
function request(deps: ClientsDeps, index: number, ask: (api: ApiProcess) => Promise<unknown>): Promise<Told> {
	const { world } = deps;
	return new Promise((resolve) => {
		let settled = false;
		const tell = (outcome: string, body: unknown = null) => {
			if (settled) return;
			settled = true;
			resolve({ outcome, body, receivedMs: world.now() });
		};
		const travel = () => world.dice.between(0.2, 3);
		world.after(REQUEST_LIMIT_MS, null, () => tell("no_answer"));
		world.after(travel(), null, () => {
			const api = deps.api(index);
			if (!api?.process.alive) return void world.after(travel(), null, () => tell("no_answer"));
			const forget = deps.onCrash(api.process, () => world.after(travel(), null, () => tell("no_answer")));
			const answer = (outcome: string, body: unknown) => {
				forget();
				world.after(travel(), null, () => tell(outcome, body));
			};
			world.after(0, api.process, () => {
				ask(api).then(
					(body) => answer("ok", body),
					(error: unknown) => answer(error instanceof ApiError ? error.code : "internal_error", String(error)),
				);
			});
		});
	});
}

/** One browser tab: starts scans, polls them on any API process, sometimes cancels, reads the results. */
export async function runClient(deps: ClientsDeps, name: string, userId: string, dice: Dice): Promise<void> {
	const { world } = deps;
	const viewer: Viewer = { user_id: userId, role: "trader" };
	const pause = (ms: number) => new Promise<void>((resolve) => void world.after(ms, null, resolve));
	const ask = async (
		kind: Observation["kind"],
		scanId: string | null,
		call: (api: ApiProcess) => Promise<unknown>,
		forced = false,
	): Promise<Told> => {
		const index = dice.below(deps.apis);
		const sentMs = world.now();
		const told = await request(deps, index, call);
		deps.observe({ client: name, user: userId, api: `api-${index}`, kind, scanId, sentMs, forced, ...told });
		return told;
	};

	// Half of them begin at the same moment: tabs of one user then race for the claim.
	await pause(dice.chance(0.5) ? 500 : dice.between(0, 4_000));
	while (world.now() < deps.startsUntilMs) {
		const force = dice.chance(0.35) && !deps.single;
		const key = dice.pick(FILTERS)[0];
		const told = await ask(
			"start",
			null,
			({ commands }) => commands.startScan(viewer, startRequest(key, force)),
			force,
		);
		if (told.outcome !== "ok") {
			await pause(dice.between(50, 1_500));
			continue;
		}
		await follow((told.body as StartResult).scan_id);
		if (deps.single) return;
		await pause(dice.between(10, 6_000));
	}

	async function follow(scanId: string): Promise<void> {
		const cancelAtMs =
			dice.chance(deps.cancels) && !deps.single ? world.now() + dice.between(0, 4_000) : Number.POSITIVE_INFINITY;
		let tag: string | undefined;
		for (let cancelled = false; ; ) {
			if (!cancelled && world.now() >= cancelAtMs) {
				const answer = await ask("cancel", scanId, async ({ commands, queries }) => {
					await queries.scans.mayCancel(viewer, scanId);
					return queries.scans.cancelled(viewer, await commands.cancelScan(viewer, scanId));
				});
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
				if (["complete", "failed", "cancelled"].includes(status?.state ?? "")) break;
			}
			if (told.outcome === "scan_not_found" || told.outcome === "scan_expired") return;
			if (dice.chance(0.15)) await ask("stuck", scanId, ({ queries }) => queries.diagnostics.lifecycle(viewer, scanId));
			await pause(dice.between(5, 1_500));
		}
		await ask("results", scanId, async ({ queries }) => {
			const wait = { waitMs: 0, signal: new AbortController().signal };
			return JSON.parse((await queries.scans.results(viewer, scanId, wait)).body);
		});
	}
}
