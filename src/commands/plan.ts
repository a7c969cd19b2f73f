import type { PlannedStrategy, ScanInput, UserProfile } from "../../machines/types.ts";
import { CATALOGUE, findStrategy, strategyKey } from "../catalogue.ts";
import { portfolioAtOnce } from "../runtime/at-once.ts";
import { type BegunScan, firstClaim, TAKEN_EPOCH, type Taker } from "../runtime/claimed.ts";
import { type Projections, stateFields } from "../runtime/scan-commit.ts";
import { begin, type HostState, MACHINE_ID, step } from "../runtime/scan-host.ts";
import type { StartRequest, StoredPortfolio, StrategyPolicy } from "../services.ts";
import type { Viewer } from "../store/contract.ts";
import type { MachineEvent } from "../store/write-contract.ts";
import type { CommandDeps } from "./deps.ts";

export function planScan(
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
		schedule_id: request.schedule_id ?? null,
		profile,
		strategies: planStrategies(request, profile, policies, deps.available),
	};
}

/** Owned strategies after the strategy_ids filter, plus those named in the filter but not owned. */
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

/**
 * @param taker makes it as claimed by this one; null: it waits for whoever claims it
 * @param stored what the start has read, from which the portfolio of a scan that is made as claimed may follow
 */
export function newScan(
	input: ScanInput,
	projections: Projections,
	results: Record<string, string> = {},
	taker: Taker | null = null,
	stored: StoredPortfolio | null = null,
): BegunScan {
	const created = begin(input);
	const [entry] = created.entries;
	if (!entry) throw new Error("the scan machine began without its first journal entry");
	const claim = taker && claimedBy(taker, created.state, input.accepted_at_ms, stored);
	const { state, entries } = claim ?? created;
	const { accepted_at_ms, deadline_at_ms } = input;
	const scan = stateFields(null, state, entries);
	scan.machine = MACHINE_ID;
	scan.seq = String(claim?.taken.seq ?? 1);
	scan.epoch = "0";
	scan.end = "0";
	scan.accepted = "0";
	scan.accepted_at = String(accepted_at_ms);
	scan.deadline_at = String(deadline_at_ms);
	scan.progress_at = String(accepted_at_ms);
	const first = created.state.context;
	const lifecycle = projections.lifecycleFields(null, first, created.entries);
	const debug = projections.debugFields(null, first, created.entries);
	if (claim) {
		Object.assign(scan, claim.holder);
		Object.assign(lifecycle, projections.lifecycleFields(first, state.context, entries));
		Object.assign(debug, projections.debugFields(first, state.context, entries));
	}
	return {
		owner: input.user_id,
		scan_id: input.scan_id,
		scan,
		lifecycle,
		debug,
		results: new Map([...Object.entries(results), ...(claim?.documents ?? [])]),
		entry,
		taken: claim?.taken ?? null,
		state,
		accepted_at_ms,
		deadline_at_ms,
	};
}

/**
 * The claim and what is known with it as the machine takes them, and what the scan hash says of the holder, as the claim's
 * script writes it.
 */
function claimedBy(taker: Taker, created: HostState, at_ms: number, stored: StoredPortfolio | null) {
	const event = firstClaim(taker, at_ms);
	const claimed = step(created, event);
	if (!claimed) throw new Error("the scan machine did not take its first claim");
	const known = stored && portfolioAtOnce(taker, stored, claimed.state, at_ms);
	const taken = [{ ...claimed, event }, ...(known ? [known.applied] : [])];
	const entries = taken.flatMap((one) => one.entries);
	const events = taken.map((one) => one.event as MachineEvent);
	const { worker_id: worker, nonce, lease_ms } = taker;
	const holder = { epoch: String(TAKEN_EPOCH), worker, nonce, lost: "0", released: "0", idle: "0" };
	return {
		state: known?.applied.state ?? claimed.state,
		entries,
		holder,
		documents: known?.documents ?? [],
		taken: { lease_ms, seq: 1 + entries.length, entries, events },
	};
}
