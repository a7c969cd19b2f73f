import type { ScanInput, UserProfile } from "../../machines/types.ts";
import { ApiError } from "../errors.ts";
import type { Place } from "../queue/dispatch.ts";
import { TAKEN_EPOCH, takenClaim } from "../runtime/claimed.ts";
import type { StartRequest, StartResult, StoredPortfolio, StrategyPolicy } from "../services.ts";
import type { Viewer } from "../store/contract.ts";
import type { ActiveScan, NewScan, StartClaim, StartDecision } from "../store/write-contract.ts";
import { isFull } from "../store-failure.ts";
import { askAtOnce, type FreshScan, freshMs } from "./asked.ts";
import type { CommandDeps } from "./deps.ts";
import { endSuperseded, finishStart, type RunHere } from "./finish-start.ts";
import { newScan, planScan } from "./plan.ts";
import { eraseScans } from "./remove-user.ts";

/** A start that keeps meeting ended scans tries again; more often means that something else is wrong. */
export const START_TRIES = 5;

/** Who starts, with what they own and the policies of this moment. */
export interface Starter {
	profile: UserProfile;
	/** As the profile knows it. */
	portfolio: StoredPortfolio;
	policies: StrategyPolicy[];
}

export async function starter(deps: CommandDeps, viewer: Viewer): Promise<Starter> {
	const account = await deps.accounts.byId(viewer.user_id);
	if (!account) throw new ApiError("token_invalid");
	const [portfolio, policies] = await Promise.all([deps.portfolios.get(viewer.user_id), deps.policies.list()]);
	return { profile: deps.profileOf(account, portfolio.version), portfolio, policies };
}

export const refuseOverload = async (deps: CommandDeps, queued: Promise<number> = deps.queued()): Promise<void> => {
	if ((await queued) >= deps.settings.queue_max) {
		throw new ApiError("overloaded", undefined, { retry_after_seconds: 5 });
	}
};

export async function startScan(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	reservedId: string | null = null,
): Promise<StartResult> {
	const by = await starter(deps, viewer);
	const { profile, portfolio, policies } = by;
	const before = reservedId === null ? null : await resumeStart(deps, reservedId);
	if (before) return before;
	const firstId = await unusedId(deps, viewer, reservedId);
	const { user_id } = viewer;
	const { filter_key, force_refresh } = request;
	const mayBegin = reservedId === null && !force_refresh && deps.memory?.mayBegin(user_id, filter_key);
	deps.memory?.note(user_id, filter_key);
	const begun = mayBegin ? await startUnasked(deps, viewer, request, by) : null;
	if (begun) return begun;
	for (let attempt = 0; attempt < START_TRIES; attempt++) {
		const asked = askAtOnce(deps, viewer, request);
		const active = await asked.active;
		const joined = await tryJoin(deps, viewer, request, active);
		if (joined) return joined;
		// What the claim named has ended and was booked only now: its result may be the fresh one.
		const fresh = active ? await deps.writer.freshScan(viewer.user_id, request.filter_key) : await asked.fresh;
		if (!isFresh(deps, request, profile, fresh)) await refuseOverload(deps, asked.queued);
		const superseded = request.force_refresh ? await deps.writer.activeScan(viewer.user_id, request.filter_key) : null;
		const quiet = await asked.nothingWaits;
		const planned = planScan(deps, viewer, request, profile, policies, superseded?.scan_id ?? null);
		const input = attempt === 0 && firstId !== null ? { ...planned, scan_id: firstId } : planned;
		const place = quiet ? (deps.reserve?.(input.scan_id, viewer.user_id) ?? null) : null;
		const isReserved = input.scan_id === reservedId;
		const result = await startOne(deps, viewer, request, input, { portfolio, place, isReserved });
		if (result) return result;
	}
	throw new ApiError("internal_error");
}

/** Begins a scan that this process will run without asking anything first. Null: the start has to ask. */
async function startUnasked(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	{ profile, portfolio, policies }: Starter,
): Promise<StartResult | null> {
	const input = planScan(deps, viewer, request, profile, policies, null);
	const place = deps.reserve?.(input.scan_id, viewer.user_id) ?? null;
	return place && (await startOne(deps, viewer, request, input, { portfolio, place, isAsked: false }));
}

interface Attempt {
	portfolio: StoredPortfolio;
	place: Place | null;
	/** Its id was given out before. */
	isReserved?: boolean;
	/** False: nobody has asked yet whether it needs a record, which happens when a full server refuses it one. */
	isAsked?: boolean;
}

/** Makes the record, decides the start and does what follows. Null: it has to be decided again, with another id. */
async function startOne(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	input: ScanInput,
	{ portfolio, place, isReserved = false, isAsked = true }: Attempt,
): Promise<StartResult | null> {
	// A reserved id may have been begun by another process too, whose record is the one that lies there. And what has
	// another scan to end before it runs is claimed when it does: no lease runs out meanwhile.
	const taker = isReserved || request.force_refresh ? null : place?.taker;
	let isRun = false;
	let result: StartResult | null = null;
	try {
		const scan = newScan(input, deps.projections, {}, taker, portfolio);
		const run = (): void => {
			isRun = true;
			place?.run(takenClaim(scan));
		};
		const here = place ? { run, begun: Boolean(taker) } : undefined;
		const decided = await decide(deps, viewer, request, scan, input, isAsked);
		if (decided) result = await carryOut(deps, viewer, request, input, decided, here);
		return result;
	} finally {
		// What was begun and is not run here is finished by others, who need not wait for a lease that nobody uses.
		if (taker && result === null && !isRun) deps.writer.release(input.scan_id, TAKEN_EPOCH).catch(() => undefined);
		place?.leave();
	}
}

/** Makes the record and has the claim decide. Null: nothing was begun. */
async function decide(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	scan: NewScan,
	input: ScanInput,
	isAsked: boolean,
): Promise<StartDecision | null> {
	const claim = claimFor(deps, viewer, request, input, deps.settings.force_join_ms);
	if (request.force_refresh) {
		await deps.writer.create(scan);
		return await deps.writer.decideStart(claim);
	}
	try {
		return await deps.writer.begin(scan, claim);
	} catch (error) {
		if (isAsked || !isFull(error)) throw error;
		return null;
	}
}

/**
 * A start under a reserved id that may have been begun before, by a process that died: what it decided
 * stands. Null: nothing was decided, the id is free again.
 */
export async function resumeStart(deps: CommandDeps, scanId: string): Promise<StartResult | null> {
	const before = await deps.writer.claimedByStart(scanId);
	if (before.kind === "gone") return null;
	const record = await deps.reader.read(scanId);
	if (before.kind === "waiting" && !record) {
		await deps.writer.drop(scanId);
		return null;
	}
	if (before.kind === "named" && !record?.terminal) {
		if (!(await finishStart(deps, before.user_id, before.filter_key, scanId))) return null;
	}
	const input = (record ?? (await deps.reader.read(scanId)))?.context.input;
	return startedAs(deps, scanId, input?.supersedes ?? null);
}

/** Null for an id that a start has used up: whoever saw its record go may free its claim at any moment. */
export async function unusedId(deps: CommandDeps, viewer: Viewer, reservedId: string | null): Promise<string | null> {
	if (reservedId === null) return null;
	return (await deps.reader.expiredAt(viewer.user_id, reservedId)) === null ? reservedId : null;
}

/** Joins without creating anything, when the claim already names a scan that this start would join. */
async function tryJoin(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	active: ActiveScan | null,
): Promise<StartResult | null> {
	if (!active) return null;
	const young = deps.writer.now() - active.accepted_at_ms < deps.settings.force_join_ms;
	if (request.force_refresh && !young) {
		// A scan that has ended in the meantime is booked first: only a running one can be superseded.
		await join(deps, viewer, request, active.scan_id);
		return null;
	}
	return (await join(deps, viewer, request, active.scan_id)) ? joinedTo(active.scan_id) : null;
}

const joinedTo = (scan_id: string): StartResult => ({
	decision: "joined",
	scan_id,
	superseded_scan_id: null,
	age_seconds: null,
});

/**
 * Makes sure that a scan which the claim names can be joined: its record is accepted and it still runs.
 * False: it has ended (and is now booked) or is gone, so the start decides again.
 */
export async function join(deps: CommandDeps, viewer: Viewer, request: StartRequest, scanId: string): Promise<boolean> {
	const record = await deps.reader.read(scanId);
	if (record && !record.terminal) return true;
	if (record) {
		await deps.book(record);
		return false;
	}
	// The process that created it died before it was accepted: finish its start here.
	if (await finishStart(deps, viewer.user_id, request.filter_key, scanId)) return true;
	await deps.writer.forget(viewer.user_id, request.filter_key, scanId);
	return false;
}

export const claimFor = (
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	input: ScanInput,
	forceJoinMs: number,
): StartClaim => ({
	user_id: viewer.user_id,
	filter_key: request.filter_key,
	scan_id: input.scan_id,
	force: request.force_refresh,
	force_join_ms: forceJoinMs,
	fresh_ms: freshMs(deps, request),
	fingerprint: fingerprintOf(input.profile),
	accepted_at_ms: input.accepted_at_ms,
});

/** What follows from the decision about a start. Null: it has to be decided again. @param here absent: it is queued */
export async function carryOut(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	input: ScanInput,
	{ decision, scan_id, detail }: StartDecision,
	here: RunHere | undefined,
): Promise<StartResult | null> {
	if (decision === "joined" || decision === "cached" || decision === "given_up") {
		await deps.writer.drop(input.scan_id);
		if (decision === "given_up") return null;
		if (decision === "joined") return (await join(deps, viewer, request, scan_id)) ? joinedTo(scan_id) : null;
		return cachedResult(deps, viewer, request, scan_id, Number(detail));
	}
	const known = decision === "created" ? { superseded: null } : {};
	if (!(await finishStart(deps, viewer.user_id, request.filter_key, scan_id, { ...known, here }))) {
		// This process stood still for so long that its record was cleared away as abandoned. Whoever saw that may
		// free the claim at any moment, so the id is given up and the start tries again with another. What the claim
		// took over is ended first, or it would run on beside the scan of the next try.
		if (decision === "superseded") await endSuperseded(deps, detail, viewer.user_id, null);
		await deps.writer.forget(viewer.user_id, request.filter_key, scan_id);
		return null;
	}
	// The account may have been deleted since the request was let in; then nothing of it may stay.
	if (!(await deps.accounts.byId(viewer.user_id))) {
		await eraseScans(deps, viewer.user_id, viewer.user_id);
		throw new ApiError("token_revoked");
	}
	return startedAs(deps, scan_id, decision === "superseded" ? detail : null);
}

/** The old scan may have completed before the cancel reached it; then nothing was superseded. */
async function startedAs(deps: CommandDeps, scanId: string, supersedes: string | null): Promise<StartResult> {
	const ended = supersedes === null ? null : (await deps.reader.read(supersedes))?.context.end;
	const superseded = ended?.superseded_by === scanId;
	return {
		decision: superseded ? "superseded" : "created",
		scan_id: scanId,
		superseded_scan_id: superseded ? supersedes : null,
		age_seconds: null,
	};
}

const fingerprintOf = ({ strategy_fingerprint, portfolio_version }: UserProfile): string =>
	`${strategy_fingerprint}.${portfolio_version}`;

/** Would an unforced start be answered with a recent result? Then the queue does not matter. */
function isFresh(deps: CommandDeps, request: StartRequest, profile: UserProfile, fresh: FreshScan): boolean {
	if (!fresh || request.force_refresh || fresh.fingerprint !== fingerprintOf(profile)) return false;
	return deps.writer.now() - fresh.completed_at_ms < deps.settings.fresh_ms;
}

async function cachedResult(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	scanId: string,
	completedAtMs: number,
): Promise<StartResult | null> {
	const record = await deps.reader.read(scanId);
	if (record?.position === "completed") {
		const age_seconds = Math.max(0, Math.floor((deps.writer.now() - completedAtMs) / 1000));
		return { decision: "cached", scan_id: scanId, superseded_scan_id: null, age_seconds };
	}
	await deps.writer.forgetFresh(viewer.user_id, request.filter_key, scanId);
	return null;
}
