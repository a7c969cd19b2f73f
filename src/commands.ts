import type { ScanInput, UserProfile } from "../machines/types.ts";
import { cancelScan, endByCancel } from "./commands/cancel.ts";
import type { CommandDeps, StartDeps } from "./commands/deps.ts";
import { newScan, planScan } from "./commands/plan.ts";
import { ApiError } from "./errors.ts";
import type { ScanCommands, StartRequest, StartResult } from "./services.ts";
import type { Viewer } from "./store/contract.ts";
import type { StartClaim } from "./store/write-contract.ts";

/** The write side about scans: start, join, supersede, cancel, clear. No effect is run here. */

/** A start that keeps meeting ended scans tries again; more often means that something else is wrong. */
const START_TRIES = 5;

export function createCommands(deps: CommandDeps): ScanCommands {
	return {
		startScan: (viewer, request) => startScan(deps, viewer, request),
		cancelScan: (viewer, scanId) => cancelScan(deps, viewer, scanId),
		clearScans: (userId) => clearScans(deps, userId),
	};
}

async function startScan(deps: CommandDeps, viewer: Viewer, request: StartRequest): Promise<StartResult> {
	const account = await deps.accounts.byId(viewer.user_id);
	if (!account) throw new ApiError("token_invalid");
	const [portfolio, policies] = await Promise.all([deps.portfolios.get(viewer.user_id), deps.policies.list()]);
	const profile = deps.profileOf(account, portfolio.version);
	for (let attempt = 0; attempt < START_TRIES; attempt++) {
		const joined = await tryJoin(deps, viewer, request);
		if (joined) return joined;
		if (!(await isFresh(deps, viewer, request, profile)) && (await deps.queued()) >= deps.settings.queue_max) {
			throw new ApiError("overloaded", undefined, { retry_after_seconds: 5 });
		}
		const superseded = request.force_refresh ? await deps.writer.activeScan(viewer.user_id, request.filter_key) : null;
		const input = planScan(deps, viewer, request, profile, policies, superseded?.scan_id ?? null);
		await deps.writer.create(newScan(input, deps.projections));
		const result = await decide(deps, viewer, request, input);
		if (result) return result;
	}
	throw new ApiError("internal_error");
}

/** Joins without creating anything, when the claim already names a scan that this start would join. */
async function tryJoin(deps: CommandDeps, viewer: Viewer, request: StartRequest): Promise<StartResult | null> {
	const active = await deps.writer.activeScan(viewer.user_id, request.filter_key);
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
async function join(deps: CommandDeps, viewer: Viewer, request: StartRequest, scanId: string): Promise<boolean> {
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

async function decide(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	input: ScanInput,
): Promise<StartResult | null> {
	const { profile } = input;
	const claim: StartClaim = {
		user_id: viewer.user_id,
		filter_key: request.filter_key,
		scan_id: input.scan_id,
		force: request.force_refresh,
		force_join_ms: deps.settings.force_join_ms,
		fresh_ms: deps.settings.fresh_ms,
		fingerprint: fingerprintOf(profile),
		accepted_at_ms: input.accepted_at_ms,
	};
	const { decision, scan_id, detail } = await deps.writer.decideStart(claim);
	if (decision === "joined" || decision === "cached") {
		await deps.writer.drop(input.scan_id);
		if (decision === "joined") return (await join(deps, viewer, request, scan_id)) ? joinedTo(scan_id) : null;
		return cachedResult(deps, viewer, request, scan_id, Number(detail));
	}
	if (!(await finishStart(deps, viewer.user_id, request.filter_key, scan_id))) {
		// This process stood still between record and claim for so long that a sweeper dropped the record: no id of it
		// may be told. What the claim took over is ended first, or it would run on beside the scan of the next try.
		const facts = { by: viewer.user_id, reason: "superseded" as const, superseded_by: null };
		if (detail !== "") await endByCancel(deps, detail, facts);
		await deps.writer.forget(viewer.user_id, request.filter_key, scan_id);
		return null;
	}
	if (decision === "created") return { decision, scan_id, superseded_scan_id: null, age_seconds: null };
	// The old scan may have completed before the cancel reached it; then nothing was superseded.
	const ended = (await deps.reader.read(detail))?.context.end;
	const superseded = ended?.superseded_by === scan_id;
	return {
		decision: superseded ? decision : "created",
		scan_id,
		superseded_scan_id: superseded ? detail : null,
		age_seconds: null,
	};
}

const fingerprintOf = ({ strategy_fingerprint, portfolio_version }: UserProfile): string =>
	`${strategy_fingerprint}.${portfolio_version}`;

/** Would an unforced start be answered with a recent result? Then the queue does not matter. */
async function isFresh(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	profile: UserProfile,
): Promise<boolean> {
	if (request.force_refresh) return false;
	const fresh = await deps.writer.freshScan(viewer.user_id, request.filter_key);
	if (!fresh || fresh.fingerprint !== fingerprintOf(profile)) return false;
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

/**
 * What follows from winning the claim, in this order and repeatable by anyone: the record is accepted, the
 * scan it took the claim from is ended, the new one is queued. False: there is no such record.
 */
export async function finishStart(
	deps: StartDeps,
	userId: string,
	filterKey: string,
	scanId: string,
): Promise<boolean> {
	if (!(await deps.writer.accept(scanId))) return false;
	const active = await deps.writer.activeScan(userId, filterKey);
	if (active?.scan_id === scanId && active.superseded) {
		await endByCancel(deps, active.superseded, { by: userId, reason: "superseded", superseded_by: scanId });
	}
	await deps.enqueue(scanId);
	return true;
}

async function clearScans(deps: CommandDeps, userId: string): Promise<number> {
	let cleared = 0;
	for (let offset = 0; ; ) {
		const ids = await deps.reader.listByUser(userId, offset, 100);
		if (ids.length === 0) return cleared;
		for (const scanId of ids) {
			const record = await deps.reader.read(scanId);
			if (!record?.terminal) {
				offset += 1;
				continue;
			}
			await deps.book(record);
			await deps.writer.forgetFresh(userId, record.context.input.filter_key, scanId);
			if (await deps.writer.expireNow(userId, scanId)) cleared += 1;
		}
	}
}

export type { CommandDeps, CommandSettings } from "./commands/deps.ts";
export { planStrategies } from "./commands/plan.ts";
