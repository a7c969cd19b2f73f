import type { StartRequest } from "../services.ts";
import type { Viewer } from "../store/contract.ts";
import type { ActiveScan } from "../store/write-contract.ts";
import type { CommandDeps } from "./deps.ts";

export type FreshScan = Awaited<ReturnType<CommandDeps["writer"]["freshScan"]>>;

interface Asked {
	active: Promise<ActiveScan | null>;
	fresh: Promise<FreshScan>;
	queued: Promise<number>;
	nothingWaits: Promise<boolean>;
}

/** All that a start has to know before it makes a record leaves together; what is not needed in the end is dropped. */
export function askAtOnce(deps: CommandDeps, { user_id }: Viewer, request: StartRequest): Asked {
	const recent = !request.force_refresh && freshMs(deps, request) > 0;
	const askedAtMs = deps.memory?.now() ?? 0;
	const active = deps.writer.activeScan(user_id, request.filter_key);
	const fresh: Promise<FreshScan> = recent ? deps.writer.freshScan(user_id, request.filter_key) : Promise.resolve(null);
	const queued = deps.queued();
	const quiet = nothingWaits(deps);
	const learnt = Promise.all([queued, quiet]).then(([count, nothing]) =>
		deps.memory?.learn(nothing && count < deps.settings.queue_max, askedAtMs),
	);
	for (const answer of [fresh, queued, learnt]) answer.catch(() => undefined);
	return { active, fresh, queued, nothingWaits: quiet };
}

/** False as well where it is not known. */
export const nothingWaits = async ({ waiting }: CommandDeps): Promise<boolean> =>
	waiting !== undefined && (await waiting().catch(() => null)) === 0;

/** A schedule asks for a scan at its time, not for the result of the one before. */
export const freshMs = (deps: CommandDeps, { schedule_id }: StartRequest): number =>
	schedule_id === undefined ? deps.settings.fresh_ms : 0;
