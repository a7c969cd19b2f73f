import { answerOnce } from "../../src/api/idempotency.ts";
import type { ApiRequest, RouteSpec } from "../../src/api/route.ts";
import { ApiError } from "../../src/errors.ts";
import type { StartResult } from "../../src/services.ts";
import type { Viewer } from "../../src/store/contract.ts";
import type { ApiProcess } from "./cluster.ts";
import type { Dice } from "./random.ts";
import type { Process, World } from "./world.ts";

/** What a client was told, and when it had asked. */
export interface Observation {
	client: string;
	user: string;
	api: string;
	kind: "start" | "redrive" | "status" | "results" | "cancel" | "stuck";
	scanId: string | null;
	sentMs: number;
	receivedMs: number;
	/** ok, or the code of the error; `no_answer`: the connection broke or timed out. */
	outcome: string;
	/** The answer, or what the error says. */
	body: unknown;
	forced: boolean;
	/** Idempotency-Key of the request. */
	key: string | null;
}

export interface RequestDeps {
	world: World;
	/** API processes that answer at this moment, null while one is down. */
	api(index: number): ApiProcess | null;
	apis: number;
	/** Calls back when the process dies. */
	onCrash(process: Process, broken: () => void): () => void;
	observe(observation: Observation): void;
}

export type Told = Pick<Observation, "outcome" | "body" | "receivedMs">;
export type Ask = (
	kind: Observation["kind"],
	scanId: string | null,
	call: (api: ApiProcess) => Promise<unknown>,
	facts?: { forced?: boolean; key?: string | null },
) => Promise<Told>;

const REQUEST_LIMIT_MS = 30_000;

/** A request over the simulated network: answered, refused, broken by a crash, or given up. */
function request(deps: RequestDeps, index: number, ask: (api: ApiProcess) => Promise<unknown>): Promise<Told> {
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
					(error: unknown) =>
						error instanceof ApiError
							? answer(error.code, { error: error.message, ...error.extra })
							: answer("internal_error", { error: String(error) }),
				);
			});
		});
	});
}

/** Requests of one client, each to some API process. */
export function askAs(deps: RequestDeps, client: string, user: string, dice: Dice): Ask {
	return async (kind, scanId, call, { forced = false, key = null } = {}) => {
		const index = dice.below(deps.apis);
		const sentMs = deps.world.now();
		const told = await request(deps, index, call);
		deps.observe({ client, user, api: `api-${index}`, kind, scanId, sentMs, forced, key, ...told });
		return told;
	};
}

/** Cancels as the route does: who may is looked at first, then the command is given and its answer read. */
export const cancelCall =
	(viewer: Viewer, scanId: string) =>
	async ({ commands, queries }: ApiProcess): Promise<object> => {
		await queries.scans.mayCancel(viewer, scanId);
		return queries.scans.cancelled(viewer, await commands.cancelScan(viewer, scanId));
	};

/** A start or a redrive as its route answers it, once per Idempotency-Key. */
export async function startOnce(
	api: ApiProcess,
	viewer: Viewer,
	path: string,
	key: string | null,
	decide: (reservedId: string | null) => Promise<StartResult>,
): Promise<StartResult> {
	const answered = async (result: StartResult, replayed: boolean) => {
		await api.queries.scans.discover(viewer, result, null, replayed);
		return { status: 200, body: result, remember: result };
	};
	const spec = {
		method: "post",
		path,
		once: { replay: (remembered: unknown) => answered(remembered as StartResult, true) },
		handler: async (asked: ApiRequest<unknown, unknown, unknown>) =>
			answered(await decide(asked.reserved_scan_id ?? null), false),
	} as unknown as RouteSpec;
	const asked = { viewer, path, query: {}, body: {}, headers: key === null ? {} : { "idempotency-key": key } };
	const reply = await answerOnce(api.idempotency, spec, asked as unknown as ApiRequest<unknown, unknown, unknown>, {});
	return reply.body as unknown as StartResult;
}
