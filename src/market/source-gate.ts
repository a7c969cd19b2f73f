import { type Clock, delay } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { onAbort } from "./abortable.ts";
import { type Breaker, createBreaker, PROBE_MS } from "./breaker.ts";
import { MarketError } from "./contract.ts";
import { BLOCK_MS_MAX, BLOCK_WAIT_MS_MAX, type SourceCall, type SourceGate, type SourceState } from "./gate.ts";
import { withinLoopTime } from "./loop-time.ts";
import type { BudgetGrant, SharedBudget, WeightLimit } from "./sharing.ts";
import { limitOf } from "./source-limits.ts";
import { WeightWindow } from "./weight-window.ts";

/** Calls of one source that wait for room in this process. */
export const WAITING_MAX = 2_000;
/** 429 without Retry-After, and 418 without it: the exchange counts in minutes, bans begin at two. */
const BLOCK_MS = { 429: 60_000, 418: 120_000 };
/** Calls whose turn is asked for at once. */
const BATCH = 64;
/** A process that waits says so again at least so often; others leave room for it meanwhile. */
const POLL_MS_MAX = 1_000;
const POLL_MS_MIN = 10;
/** Part of the budget for a process that cannot ask the others, who may be as many. */
const ALONE_SHARE = 0.1;
/** For so long a word of the exchange about its count is passed on. */
const SEEN_MS = 2_000;
/** Between two looks whether another process still tries an endpoint. */
const PROBE_LOOK_MS = 1_000;
/** After the store failed it is not asked for this time. */
const STORE_AWAY_MS = 2_000;
/** One question to the store, in time in which the event loop ran. */
const ASK_LIMIT_MS = 1_500;

export interface SourceGateDeps {
	/** Null: there is no other process, so the whole budget is this one's. */
	budget: SharedBudget | null;
	clock: Clock;
	entropy: Entropy;
	limits?: (source: string) => WeightLimit;
	waitingMax?: number;
}

interface Waiter {
	call: SourceCall;
	sinceMs: number;
	go(): void;
	refuse(error: Error): void;
}

interface Source {
	name: string;
	/** The exchange that counts this part of itself apart; null: it is one. */
	owner: Source | null;
	limit: WeightLimit;
	queue: Set<Waiter>;
	pumping: boolean;
	breakers: Map<string, Breaker>;
	blockedUntilMs: number;
	usedWeight: number;
	/** The most that the exchange has said was used, and when; until the store has heard of it. */
	seen: { weight: number; atMs: number } | null;
	alone: WeightWindow;
}

/** `binanceusdm` of `binanceusdm:funding`. */
const ownerOf = (name: string): string | null => (name.includes(":") ? name.slice(0, name.indexOf(":")) : null);

/** For how long no request may go, ms; what an exchange says to the address counts for all its parts. */
const blockedMsOf = ({ blockedUntilMs, owner }: Source, clock: Clock): number =>
	Math.max(0, Math.max(blockedUntilMs, owner?.blockedUntilMs ?? 0) - clock.now());

const refusal = (text: string): MarketError => new MarketError("fetch_failed", text, true);

/**
 * The gate before live exchanges. The budget of weight is one for all processes and lies in the store, as do blocks (429,
 * 418; for all parts of an exchange, whichever met a 418) and endpoints that were found broken, so that all processes stop
 * at once. Calls of a process go in their order;
 * between processes the one goes first whose first call has waited longest. When the store is away a process uses a tenth
 * of the budget by itself: up to ten processes keep the limit together even so.
 */
export function createSourceGate({ budget, clock, entropy, ...given }: SourceGateDeps): SourceGate {
	const limits = given.limits ?? limitOf;
	const waitingMax = given.waitingMax ?? WAITING_MAX;
	const process = entropy.hex(8);
	const sources = new Map<string, Source>();
	let awayUntilMs = Number.NEGATIVE_INFINITY;

	const sourceOf = (name: string): Source => {
		const known = sources.get(name);
		if (known) return known;
		const limit = limits(name);
		const share = budget === null ? 1 : ALONE_SHARE;
		const alone = new WeightWindow({ ...limit, weight_max: Math.max(1, Math.floor(limit.weight_max * share)) });
		const fresh = { queue: new Set<Waiter>(), pumping: false, breakers: new Map<string, Breaker>() };
		const owner = ownerOf(name);
		const part = { name, owner: owner === null ? null : sourceOf(owner) };
		const made: Source = { ...part, limit, ...fresh, blockedUntilMs: 0, usedWeight: 0, seen: null, alone };
		sources.set(name, made);
		return made;
	};
	const breakerOf = (source: Source, endpoint: string): Breaker => {
		const known = source.breakers.get(endpoint) ?? createBreaker(clock, entropy);
		source.breakers.set(endpoint, known);
		return known;
	};
	/** Null: neither its source nor the one that it needs is to be left alone for longer than a caller may wait. */
	const refusalOf = ({ source, needs = source }: SourceCall): MarketError | null => {
		for (const name of [source, needs]) {
			const blockedMs = blockedMsOf(sourceOf(name), clock);
			if (blockedMs > BLOCK_WAIT_MS_MAX) return blocked(name, blockedMs);
		}
		return null;
	};
	/** Undefined when the store does not answer; it is left alone for a while then. */
	const ask = async <T>(work: (budget: SharedBudget) => Promise<T>): Promise<T | undefined> => {
		if (budget === null || clock.now() < awayUntilMs) return undefined;
		try {
			return await withinLoopTime(clock, ASK_LIMIT_MS, work(budget));
		} catch {
			awayUntilMs = clock.now() + STORE_AWAY_MS;
			return undefined;
		}
	};

	/** What this process may do by itself. */
	const aloneGrant = (source: Source, waiters: readonly Waiter[]): BudgetGrant => {
		let granted = 0;
		let wait_ms = 0;
		const blocked_ms = blockedMsOf(source, clock);
		for (const { call } of blocked_ms > 0 ? [] : waiters) {
			// A call that is heavier than a tenth of the budget takes all of that.
			const weight = Math.min(call.weight, Math.floor(source.limit.weight_max * (budget === null ? 1 : ALONE_SHARE)));
			wait_ms = source.alone.take(Math.max(1, weight), clock.now());
			if (wait_ms > 0) break;
			granted++;
		}
		return { granted, wait_ms: Math.max(wait_ms, blocked_ms), used_weight: source.usedWeight, blocked_ms, open: {} };
	};

	const grantFor = async (source: Source, waiters: readonly Waiter[]): Promise<BudgetGrant> => {
		// A look that asks for nothing tells what other processes have heard. While the whole is blocked nothing is taken.
		if (source.owner && blockedMsOf(source.owner, clock) <= 0) await grantFor(source.owner, []);
		if (source.owner && blockedMsOf(source.owner, clock) > 0) return aloneGrant(source, waiters);
		const nowMs = clock.now();
		const { seen } = source;
		// What was used some seconds ago may have left the window since.
		const seen_weight = seen && nowMs - seen.atMs < SEEN_MS ? seen.weight : 0;
		const calls = waiters.map(({ call, sinceMs }) => ({ weight: call.weight, waited_ms: nowMs - sinceMs }));
		const { name, limit } = source;
		const grant = await ask((shared) => shared.take({ source: name, limit, process, calls, seen_weight }));
		if (grant === undefined) return aloneGrant(source, waiters);
		if (source.seen === seen) source.seen = null;
		source.usedWeight = grant.used_weight;
		if (grant.blocked_ms > 0) source.blockedUntilMs = clock.now() + grant.blocked_ms;
		for (const [endpoint, openMs] of Object.entries(grant.open)) breakerOf(source, endpoint).openFor(openMs);
		return grant;
	};

	const pump = async (source: Source): Promise<void> => {
		if (source.pumping) return;
		source.pumping = true;
		try {
			while (source.queue.size > 0) {
				const batch = inTurn(source.queue).slice(0, BATCH);
				const { granted, wait_ms } = await grantFor(source, batch);
				for (const waiter of [...source.queue]) {
					const refused = refusalOf(waiter.call);
					if (refused) waiter.refuse(refused);
				}
				const blockedMs = blockedMsOf(source, clock);
				// A block that came meanwhile stops those whose turn it is; who was refused has left.
				for (const waiter of blockedMs > 0 ? [] : batch.slice(0, granted)) waiter.go();
				if (source.queue.size === 0 || (granted === batch.length && blockedMs <= 0)) continue;
				const jitter = Number.parseInt(entropy.hex(1), 16) / 16;
				const waitMs = Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, wait_ms, blockedMs));
				await delay(clock, waitMs + jitter);
			}
		} finally {
			source.pumping = false;
		}
	};

	/** Whoever leaves the queue, for whatever reason, is taken out of it once. */
	const waitForTurn = (source: Source, call: SourceCall): Promise<void> =>
		new Promise((resolve, reject) => {
			if (source.queue.size >= waitingMax) throw refusal(`too many calls wait for ${call.source}`);
			const leave = () => {
				forget();
				return source.queue.delete(waiter);
			};
			const waiter: Waiter = {
				call: { ...call, weight: Math.min(Math.max(1, Math.ceil(call.weight)), source.limit.weight_max) },
				sinceMs: clock.now(),
				go: () => leave() && resolve(),
				refuse: (error) => leave() && reject(error),
			};
			const forget = onAbort(call.signal, () => source.queue.delete(waiter) && reject(call.signal.reason));
			source.queue.add(waiter);
			void pump(source);
		});

	const admitted = async (source: Source, endpoint: string): Promise<Breaker | null> => {
		const breaker = breakerOf(source, endpoint);
		const admission = breaker.admit();
		if (admission === "go") return null;
		const held =
			admission === "probe" && (await ask((shared) => shared.probe(source.name, endpoint, process, PROBE_MS)));
		// Without the store each process finds out for itself.
		if (admission === "probe" && held !== false) return breaker;
		if (admission === "probe") {
			breaker.giveUp();
			breaker.openFor(PROBE_LOOK_MS);
		}
		const seconds = Math.ceil(breaker.openMs() / 1000);
		throw refusal(`${source.name}: ${endpoint} has failed repeatedly and is left alone for ${seconds} s`);
	};

	return {
		async take(call) {
			call.signal.throwIfAborted();
			const source = sourceOf(call.source);
			const refused = refusalOf(call);
			if (refused) throw refused;
			const probing = await admitted(source, call.endpoint);
			try {
				call.signal.throwIfAborted();
				await waitForTurn(source, call);
			} catch (error) {
				probing?.giveUp();
				throw error;
			}
		},
		report({ source: name, endpoint }, outcome) {
			const source = sourceOf(name);
			const breaker = breakerOf(source, endpoint);
			if (outcome.kind === "ok") {
				const wasOpen = breaker.isOpen();
				breaker.succeeded();
				if (wasOpen && !breaker.isOpen()) void ask((shared) => shared.closed(name, endpoint));
				const weight = outcome.used_weight ?? 0;
				if (weight > (source.seen?.weight ?? 0)) source.seen = { weight, atMs: clock.now() };
				// Others call from our address: no process may wait for its next call to hear of it.
				if (weight > source.usedWeight && source.queue.size === 0) void grantFor(source, []);
			} else if (outcome.kind === "failed") {
				const openMs = breaker.failed();
				if (openMs !== null) void ask((shared) => shared.open(name, endpoint, openMs));
			} else {
				breaker.giveUp();
				const blockMs = Math.min(BLOCK_MS_MAX, outcome.retry_after_ms ?? BLOCK_MS[outcome.status]);
				// A ban is one of the address, whatever it asked for.
				const meant = outcome.status === 418 && source.owner ? source.owner : source;
				meant.blockedUntilMs = Math.max(meant.blockedUntilMs, clock.now() + blockMs);
				void ask((shared) => shared.block(meant.name, blockMs));
			}
		},
		states: () => [...sources.values()].map((source) => stateOf(source, clock)),
	};
}

/** By rank; first come, first served within one. */
const inTurn = (queue: ReadonlySet<Waiter>): Waiter[] =>
	[...queue].sort((a, b) => (a.call.rank ?? 0) - (b.call.rank ?? 0));

const blocked = (source: string, blockedMs: number): MarketError =>
	refusal(`${source} wants no request for ${Math.ceil(blockedMs / 1000)} s`);

function stateOf(source: Source, clock: Clock): SourceState {
	const { name, breakers, usedWeight, limit } = source;
	const blockedMs = blockedMsOf(source, clock);
	return {
		source: name,
		open: [...breakers].flatMap(([endpoint, breaker]) => (breaker.isOpen() ? [endpoint] : [])),
		blocked_until_ms: blockedMs > 0 ? clock.now() + blockedMs : null,
		used_weight: usedWeight,
		weight_limit: limit.weight_max,
	};
}
