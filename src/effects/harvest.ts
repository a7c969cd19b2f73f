import { compareText } from "../canonical.ts";
import type { MarketData, ReadOptions, StaleNote } from "../market/contract.ts";
import type { Candidate, DataNeeds, MarketView } from "../strategies/contract.ts";
import { failureOf, isAbsence } from "./errors.ts";
import { inTurns } from "./in-turns.ts";
import { nothingYet, type Reads, readCandidate, readShared } from "./market-reads.ts";
import { linkedAbort, untilAborted } from "./waiting.ts";

/** Why a read is missing from the view. */
export interface ReadFailure {
	reason: "fetch_failed" | "timeout";
	message: string;
	retryable: boolean;
}

/**
 * The reads of one attempt, running at once. One slow or failing candidate costs only itself;
 * the shared reads are the benchmarks and the evidence universe.
 */
export interface Harvest {
	/** Resolves when no read is pending; never rejects. */
	readonly settled: Promise<void>;
	sharedPending(): boolean;
	/** Candidates whose reads have all ended well (or the source has no such data). */
	arrived(): number;
	pending(): number;
	/** By candidate symbol. */
	failures(): ReadonlyMap<string, ReadFailure>;
	/** What of benchmarks and evidence could not be read, by symbol or venue. */
	sharedFailures(): ReadonlyMap<string, ReadFailure>;
	/** Candidates (and `evidence` for all shared reads) of which something is the last good answer of a failing source. */
	stale(): ReadonlyMap<string, StaleNote>;
	/** Series of the evidence universe that have arrived. */
	evidenceSeries(): number;
	/** Candidates that are no longer pending, and the view of what has arrived, as of now. */
	snapshot(): { candidates: Candidate[]; view: Omit<MarketView, "as_of_ms" | "data_source"> };
	/** Gives up what is pending: its candidates count as `timeout`, its requests are aborted. */
	cut(): void;
	/** Aborts whatever still runs. Call it in every case. */
	stop(): void;
}

const TIME_UP: ReadFailure = {
	reason: "timeout",
	message: "No answer before the strategy had to be evaluated",
	retryable: true,
};

/** All reads that are not a candidate's own, where they are named together. */
const SHARED = "evidence";

/** What is known of an attempt's reads at this moment. */
interface Ledger {
	readonly candidates: readonly Candidate[];
	readonly got: Reads;
	/** Candidates that have not answered. */
	readonly open: Set<string>;
	readonly failures: Map<string, ReadFailure>;
	readonly sharedFailures: Map<string, ReadFailure>;
	/** The oldest stale answer of each. */
	readonly stale: Map<string, StaleNote>;
	sharedOpen: boolean;
	/** From here on nothing that arrives is kept: the view must not change under an evaluation. */
	closed: boolean;
}

/**
 * Starts all reads at once, the candidates' at most `concurrencyMax` at a time (null: no limit); those of a whole
 * universe in several turns of the event loop.
 */
export function startHarvest(
	market: MarketData,
	needs: DataNeeds,
	candidates: readonly Candidate[],
	options: ReadOptions & { concurrencyMax: number | null },
): Harvest {
	const ledger: Ledger = {
		candidates,
		got: nothingYet(),
		open: new Set(candidates.map((candidate) => candidate.symbol)),
		failures: new Map(),
		sharedFailures: new Map(),
		stale: new Map(),
		sharedOpen: true,
		closed: false,
	};
	const abort = linkedAbort(options.signal);
	const { as_of_ms, begun_ms } = options;
	const read: ReadOptions = { signal: abort.signal, as_of_ms, ...(begun_ms === undefined ? {} : { begun_ms }) };
	const noting = (name: string): ReadOptions => ({ ...read, onStale: (note) => noteStale(ledger, name, note) });
	const turn = concurrencyLimit(options.concurrencyMax);
	const begun = inTurns();
	const own = candidates.map((candidate) => {
		const { symbol } = candidate;
		const work = () => readCandidate(market, needs, candidate, noting(symbol), ledger.got);
		const kept = () => keepResult(ledger, abort.signal, work, symbol, ledger.failures);
		return begun(() => turn(kept)).then(() => {
			if (!ledger.closed) ledger.open.delete(symbol);
		});
	});
	const undescribed = candidates.filter((candidate) => !candidate.market).map(({ symbol }) => symbol);
	const shared = readShared(market, needs, undescribed, noting(SHARED), ledger.got, (name, work) =>
		keepResult(ledger, abort.signal, work, name, ledger.sharedFailures),
	).then(() => {
		if (!ledger.closed) ledger.sharedOpen = false;
	});
	const stop = () => {
		ledger.closed = true;
		abort.abort(new Error("the reads are over"));
		abort.release();
	};
	return harvestOf(ledger, Promise.all([...own, shared]), stop);
}

/** One read: its result is kept, its failure noted under `name`; an absence is neither. Never rejects. */
async function keepResult(
	ledger: Ledger,
	signal: AbortSignal,
	work: () => Promise<() => void>,
	name: string,
	failures: Map<string, ReadFailure>,
): Promise<void> {
	try {
		signal.throwIfAborted();
		const keep = await untilAborted(work(), signal);
		if (!ledger.closed) keep();
	} catch (error) {
		if (!ledger.closed && !isAbsence(error)) failures.set(name, readFailure(error));
	}
}

function noteStale(ledger: Ledger, name: string, note: StaleNote): void {
	const known = ledger.stale.get(name);
	if (!ledger.closed && (!known || known.age_ms < note.age_ms)) ledger.stale.set(name, note);
}

function harvestOf(ledger: Ledger, done: Promise<unknown>, stop: () => void): Harvest {
	const { candidates, got, open, failures, sharedFailures, stale } = ledger;
	return {
		settled: done.then(() => {}),
		sharedPending: () => ledger.sharedOpen,
		arrived: () => candidates.length - open.size - failures.size,
		pending: () => open.size,
		failures: () => failures,
		sharedFailures: () => sharedFailures,
		stale: () => stale,
		evidenceSeries: () => got.evidence.series.length,
		snapshot: () => snapshotOf(ledger),
		cut: () => {
			for (const symbol of open) failures.set(symbol, TIME_UP);
			open.clear();
			if (ledger.sharedOpen) sharedFailures.set(SHARED, TIME_UP);
			stop();
		},
		stop,
	};
}

function snapshotOf({ got, open, failures, sharedFailures, ...ledger }: Ledger): ReturnType<Harvest["snapshot"]> {
	const candidates = ledger.candidates.filter((candidate) => !open.has(candidate.symbol));
	const errors: Record<string, string> = {};
	for (const [symbol, failure] of [...sharedFailures, ...failures]) errors[symbol] = failure.reason;
	const series = { ...got.series };
	const funding = { ...got.funding };
	const books = { ...got.books };
	const trades = { ...got.trades };
	const chains = { ...got.chains };
	const volatility = { ...got.volatility };
	const open_interest = { ...got.open_interest };
	const rivals = { ...got.rivals };
	const bySymbol = (a: { symbol: string; venue: string }, b: { symbol: string; venue: string }) =>
		compareText(a.symbol, b.symbol) || compareText(a.venue, b.venue);
	const evidence = {
		series: [...got.evidence.series].sort(bySymbol),
		funding: [...got.evidence.funding].sort(bySymbol),
		venue_funding: [...got.evidence.venue_funding].sort((a, b) => bySymbol(a.funding, b.funding)),
	};
	return {
		candidates,
		view: {
			series,
			funding,
			books,
			trades,
			chains,
			volatility,
			open_interest,
			rivals,
			evidence,
			markets: { ...got.markets },
			errors,
		},
	};
}

function readFailure(error: unknown): ReadFailure {
	const { code, message, retryable } = failureOf(error, "fetch_failed");
	return { reason: code === "timeout" ? "timeout" : "fetch_failed", message, retryable };
}

/** Runs tasks at most `max` at a time, in order; null = all at once. */
function concurrencyLimit(max: number | null): (task: () => Promise<void>) => Promise<void> {
	if (max === null) return (task) => task();
	let free = max;
	const waiting: (() => void)[] = [];
	return async (task) => {
		if (free > 0) free -= 1;
		else await new Promise<void>((resolve) => waiting.push(resolve));
		try {
			await task();
		} finally {
			const next = waiting.shift();
			if (next) next();
			else free += 1;
		}
	};
}
