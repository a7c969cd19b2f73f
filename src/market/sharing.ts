/**
 * What the cache and the gate need of a store that all processes share. Moments are epoch ms of the store's clock
 * unless they are said to be of the source's. Every method rejects when the store does not answer.
 */

/** The key of one datum, which every process builds alike. */
export interface SharedKey {
	source: string;
	/** E.g. `candles:BTC/USDT:1h`. */
	name: string;
}

/** An answer as it lies in the store. */
export interface SharedAnswer {
	bytes: Uint8Array;
	/** Since it was fetched, ms. */
	age_ms: number;
}

export type Look =
	/** The answer is new enough. */
	| ({ state: "hit" } & SharedAnswer)
	/** The caller is to fetch it and holds the lease; the last good answer, if there is one. */
	| { state: "lease"; last: SharedAnswer | null }
	/** Another process fetches it, under `lease`, which holds for `held_ms` unless it is renewed; ask again. */
	| { state: "wait"; lease: string; held_ms: number }
	/** Another process has just failed to fetch it. */
	| { state: "failed"; failure: string; last: SharedAnswer | null };

export interface SharedPut {
	token: string;
	bytes: Uint8Array;
	/** Up to which moment of the source's clock the answer says everything. */
	covers_ms: number;
	/** The same in the opinion of the source, which had nothing newer; believed for `recheck_ms`. */
	claims_ms: number;
	recheck_ms: number;
	/** Since its fetch began. */
	fetched_ms: number;
	/** It serves only who begins within so long from now, whatever it covers; absent: everybody. */
	believed_ms?: number;
	/** The answer goes after this time. */
	kept_ms: number;
	/** As in `look`. */
	most_ms?: number | undefined;
}

export interface SharedAnswers {
	/**
	 * The answer if it covers `need_ms`, or was believed to when the asker began, `begun_ago_ms` ago; else the lease to
	 * fetch it unless it is held. Safe to repeat with one token. An answer that covers more than `most_ms` was fetched by a
	 * clock that was wrong and does not count, unless it is one for all times; absent: whatever it covers.
	 */
	look(
		key: SharedKey,
		need_ms: number,
		token: string,
		lease_ms: number,
		begun_ago_ms: number,
		most_ms?: number,
	): Promise<Look>;
	/**
	 * Keeps the answer, unless a newer one is there or the lease was lost, and gives the lease back. False: it is too large to
	 * be shared.
	 */
	put(key: SharedKey, answer: SharedPut): Promise<boolean>;
	/** The newest good answer, however old. */
	last(key: SharedKey): Promise<SharedAnswer | null>;
	/** Gives the lease back; `failure` is what those who wait are told. */
	release(key: SharedKey, token: string, failure: { text: string; told_ms: number } | null): Promise<void>;
	/** Holds a lease longer, also one that ended and that nobody has taken since. False: another holds it. */
	renew(key: SharedKey, token: string, lease_ms: number): Promise<boolean>;
	/** Ends a lease whose holder's connection to the store is gone. False: it is not, or the store does not tell. */
	releaseDead(key: SharedKey, lease: string): Promise<boolean>;
	/** Bytes and answers kept of a source. */
	size(source: string): Promise<{ bytes: number; answers: number }>;
}

/** A budget of weight: no more than `weight_max` in any `window_ms`. */
export interface WeightLimit {
	weight_max: number;
	window_ms: number;
}

export interface BudgetAsk {
	source: string;
	limit: WeightLimit;
	/** Who asks; one word per process. */
	process: string;
	/** In the order of their turns; each has waited so long. */
	calls: readonly { weight: number; waited_ms: number }[];
	/** What the exchange says was used in the running window, at least; 0: nothing new is known. */
	seen_weight: number;
}

export interface BudgetGrant {
	/** How many of the calls, from the first on, may go now. */
	granted: number;
	/** Until there may be room for the next one, ms. */
	wait_ms: number;
	used_weight: number;
	/** The exchange wants no request for this time, ms; 0: it does not mind. */
	blocked_ms: number;
	/** Endpoints that some process found broken, and for how long they are left alone, ms. */
	open: Record<string, number>;
}

/** Budgets and faults of sources, known to all processes. */
export interface SharedBudget {
	take(ask: BudgetAsk): Promise<BudgetGrant>;
	/** No request to the source for this time. A longer block stays. */
	block(source: string, blocked_ms: number): Promise<void>;
	/** The endpoint is left alone by all processes for this time. */
	open(source: string, endpoint: string, open_ms: number): Promise<void>;
	/** True for one process at a time, which may try the endpoint. */
	probe(source: string, endpoint: string, process: string, probe_ms: number): Promise<boolean>;
	/** The endpoint works again. */
	closed(source: string, endpoint: string): Promise<void>;
}
