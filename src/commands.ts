import type { CancelReason, PlannedStrategy, ScanInput, ScanLimits, UserProfile } from "../machines/types.ts";
import { CATALOGUE, findStrategy, strategyKey } from "./catalogue.ts";
import { ApiError } from "./errors.ts";
import { type ApplyDeps, applyOne } from "./runtime/runtime.ts";
import { numbered, type Projections, stateFields } from "./runtime/scan-commit.ts";
import { begin, MACHINE_ID } from "./runtime/scan-host.ts";
import type {
	Account,
	AccountReader,
	CancelResult,
	PolicyReader,
	PortfolioStore,
	ScanCommands,
	StartRequest,
	StartResult,
	StrategyPolicy,
} from "./services.ts";
import type { ScanReader, ScanRecord, Viewer } from "./store/contract.ts";
import type { NewScan, ScanWriter, StartClaim } from "./store/write-contract.ts";

/** The write side about scans: start, join, supersede, cancel, clear. No effect is run here. */

export interface CommandSettings {
	limits: ScanLimits;
	force_join_ms: number;
	fresh_ms: number;
	/** Waiting scans before a start is refused as overloaded. */
	queue_max: number;
}

export interface CommandDeps {
	writer: ScanWriter;
	reader: ScanReader;
	projections: Projections;
	apply: ApplyDeps;
	accounts: AccountReader;
	portfolios: PortfolioStore;
	policies: PolicyReader;
	/** Pure: tier, limits and fingerprint from what the account owns. */
	profileOf: (account: Account, portfolioVersion: number) => UserProfile;
	/** Strategies this build can run. */
	available: ReadonlySet<string>;
	enqueue: (scanId: string) => Promise<void>;
	queued: () => Promise<number>;
	newScanId: () => string;
	book: (record: ScanRecord) => Promise<void>;
	settings: CommandSettings;
}

type StartDeps = Pick<CommandDeps, "writer" | "reader" | "apply" | "enqueue" | "book">;

/** How long the holder of a scan has to commit a cancel before any process does it. */
const CANCEL_WAIT_MS = 500;
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
		if ((await deps.queued()) >= deps.settings.queue_max)
			throw new ApiError("overloaded", undefined, { retry_after_seconds: 5 });
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
	if (request.force_refresh && !young) return null;
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
		fingerprint: `${profile.strategy_fingerprint}.${profile.portfolio_version}`,
		accepted_at_ms: input.accepted_at_ms,
	};
	const { decision, scan_id, detail } = await deps.writer.decideStart(claim);
	if (decision === "joined" || decision === "cached") {
		await deps.writer.drop(input.scan_id);
		if (decision === "joined") return (await join(deps, viewer, request, scan_id)) ? joinedTo(scan_id) : null;
		return cachedResult(deps, viewer, request, scan_id, Number(detail));
	}
	await finishStart(deps, viewer.user_id, request.filter_key, scan_id);
	return { decision, scan_id, superseded_scan_id: decision === "superseded" ? detail : null, age_seconds: null };
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

async function cancelScan(deps: CommandDeps, viewer: Viewer, scanId: string): Promise<CancelResult> {
	const record = await deps.reader.read(scanId);
	if (!record) throw new ApiError("scan_not_found");
	if (!record.terminal) {
		const reason: CancelReason = record.user_id === viewer.user_id ? "user_request" : "admin_request";
		await endByCancel(deps, scanId, { by: viewer.user_id, reason, superseded_by: null });
	}
	const after = await deps.reader.read(scanId);
	if (!after) throw new ApiError("scan_not_found");
	if (after.position !== "cancelled") throw new ApiError("scan_already_terminal");
	const { end } = after.context;
	return {
		scan_id: scanId,
		reason: end?.reason ?? "user_request",
		cancelled_at_ms: end?.at_ms ?? after.progress_at_ms,
	};
}

/**
 * Leaves the cancel in the scan's inbox for whoever holds it; when no commit follows in time, this process
 * applies it itself. Afterwards the scan has ended, by this cancel or by something that came first.
 */
async function endByCancel(
	deps: StartDeps,
	scanId: string,
	facts: { by: string; reason: CancelReason; superseded_by: string | null },
): Promise<void> {
	const abort = new AbortController();
	const stopAtMs = deps.writer.now() + CANCEL_WAIT_MS;
	const sent = await deps.writer.send(scanId, { type: "scan.cancel_requested", ...facts });
	if (sent !== "ok") return;
	const queued = (await deps.reader.read(scanId))?.position === "queued";
	for (let left = CANCEL_WAIT_MS; !queued && left > 0; left = stopAtMs - deps.writer.now()) {
		if ((await deps.reader.read(scanId))?.terminal) break;
		await deps.reader.nextCommit(scanId, left, abort.signal);
	}
	for (let attempt = 0; attempt < 3; attempt++) {
		const record = await deps.reader.read(scanId);
		if (!record || record.terminal) break;
		await applyOne(deps.apply, scanId, "always", (_, at_ms) => ({ type: "scan.cancel_requested", at_ms, ...facts }));
	}
	const record = await deps.reader.read(scanId);
	if (record?.terminal) await deps.book(record);
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

function planScan(
	deps: CommandDeps,
	viewer: Viewer,
	request: StartRequest,
	profile: UserProfile,
	policies: StrategyPolicy[],
	supersedes: string | null,
): ScanInput {
	const acceptedAtMs = deps.writer.now();
	const { limits } = deps.settings;
	return {
		scan_id: deps.newScanId(),
		user_id: viewer.user_id,
		accepted_at_ms: acceptedAtMs,
		deadline_at_ms: acceptedAtMs + limits.budget_ms,
		limits,
		filters: request.filters,
		filter_key: request.filter_key,
		filters_unmatched: request.filters_unmatched,
		force_refresh: request.force_refresh,
		include_strategy_recommendations: request.include_strategy_recommendations,
		redrive_of: null,
		supersedes,
		schedule_id: null,
		profile,
		strategies: planStrategies(request, profile, policies, deps.available),
	};
}

/** Owned strategies after the strategy_ids filter, plus those named in the filter but not owned (7.5). */
export function planStrategies(
	request: Pick<StartRequest, "filters">,
	profile: Pick<UserProfile, "strategy_ids">,
	policies: readonly StrategyPolicy[],
	available: ReadonlySet<string>,
): PlannedStrategy[] {
	const owned = new Set(profile.strategy_ids);
	const named = request.filters.strategy_ids?.map((word) => findStrategy(word)?.id).filter((id) => id !== undefined);
	const policyOf = new Map(policies.map((policy) => [policy.strategy_key, policy]));
	return CATALOGUE.filter((entry) => (named ? named.includes(entry.id) : owned.has(entry.id))).map((entry) => {
		const policy = policyOf.get(strategyKey(entry));
		const skip = !owned.has(entry.id)
			? "not_entitled"
			: policy?.enabled === false
				? "disabled_by_policy"
				: available.has(entry.id)
					? null
					: "not_available";
		return {
			strategy_id: entry.id,
			index: entry.index,
			priority: policy?.priority ?? entry.priority,
			symbols_max: policy ? policy.max_symbols : entry.symbols_max,
			chunk_size: policy ? policy.chunk_size : entry.chunk_size,
			skip,
		};
	});
}

function newScan(input: ScanInput, projections: Projections): NewScan {
	const { state, entries } = begin(input);
	const [entry] = entries;
	if (!entry) throw new Error("the scan machine began without its first journal entry");
	const written = numbered(entries, 0);
	return {
		owner: input.user_id,
		scan_id: input.scan_id,
		scan: {
			...stateFields(null, state, entries),
			machine: MACHINE_ID,
			seq: "1",
			epoch: "0",
			end: "0",
			accepted: "0",
			accepted_at: String(input.accepted_at_ms),
			deadline_at: String(input.deadline_at_ms),
			progress_at: String(input.accepted_at_ms),
		},
		lifecycle: projections.lifecycleFields(null, state.context, written),
		debug: projections.debugFields(null, state.context, written),
		entry,
		accepted_at_ms: input.accepted_at_ms,
		deadline_at_ms: input.deadline_at_ms,
	};
}
