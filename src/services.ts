/**
 * Small contracts between the API, the commands and the stores, owned by their consumers:
 * a consumer sees four to eight members, so its test double is a few lines.
 */
import type { ScanFilters } from "../machines/types.ts";
import type { AccountErrorCode, MissingPart } from "./exchange/contract.ts";
import type { Viewer } from "./store/contract.ts";
import type { Position } from "./strategies/contract.ts";

/** A parsed POST /opportunities/discover: everything checked, filters canonical. */
export interface StartRequest {
	filters: ScanFilters;
	/** SHA-256 of the canonical JSON of `filters`. */
	filter_key: string;
	filters_unmatched: string[];
	force_refresh: boolean;
	include_strategy_recommendations: boolean;
	/** The schedule whose run this is: its scan names it, and no recent result is taken for it. */
	schedule_id?: string;
}

export interface StartResult {
	decision: "created" | "joined" | "cached" | "superseded";
	scan_id: string;
	/** The scan this start ended (decision superseded). */
	superseded_scan_id: string | null;
	/** Seconds since completion (decision cached). */
	age_seconds: number | null;
}

export interface CancelResult {
	scan_id: string;
	reason: string;
	cancelled_at_ms: number;
}

/** The write side about scans. Throws ApiError (src/errors.ts) with its codes. */
export interface ScanCommands {
	/** `reservedId`: the id a new scan gets, so that the same start can be repeated by whoever finds it half done. */
	startScan(viewer: Viewer, request: StartRequest, reservedId?: string | null): Promise<StartResult>;
	/**
	 * Starts a scan that runs some strategies of an ended one again and carries the others over.
	 * `strategyWords` null: those that failed, timed out, were degraded or cancelled.
	 */
	redriveScan(
		viewer: Viewer,
		scanId: string,
		strategyWords: readonly string[] | null,
		reservedId?: string | null,
	): Promise<StartResult>;
	/** `reasonText`: why, in the caller's words; it stands in the journal, which owner and admins read. */
	cancelScan(viewer: Viewer, scanId: string, reasonText?: string | null): Promise<CancelResult>;
	/** Removes the user's terminal scans; their ids answer 410 afterwards. Returns how many. */
	clearScans(userId: string): Promise<number>;
}

export interface StoredPortfolio {
	positions: Position[];
	cash_usd: number;
	/** 0 before the first PUT. */
	version: number;
	updated_at: string | null;
}

export interface PortfolioStore {
	get(userId: string): Promise<StoredPortfolio>;
	/** `expectedVersion` from If-Match; null = unconditional. Returns null when it does not match. */
	put(
		userId: string,
		positions: Position[],
		cashUsd: number,
		expectedVersion: number | null,
	): Promise<StoredPortfolio | null>;
}

/** What an account at an exchange held when it was last read. */
export interface Holdings {
	/** Dollars and coins that promise one. */
	cash_usd: number;
	/** Coins at the quote that the exchange trades them in, and contracts. */
	positions: Position[];
	/** Epoch ms. */
	as_of_ms: number;
	missing: MissingPart[];
}

/** One account at the start of a scan. */
export interface AccountHoldings {
	account_id: string;
	exchange: string;
	/** null: it was never read. Together with an error: an earlier reading. */
	held: Holdings | null;
	/** Why it could not be read now. */
	error: AccountErrorCode | null;
}

/** Reads all exchange accounts of a user within `limitMs`; one that cannot be read costs only itself. */
export interface HoldingsReader {
	read(userId: string, signal: AbortSignal, limitMs: number): Promise<AccountHoldings[]>;
}

export interface Account {
	user_id: string;
	email: string;
	full_name: string | null;
	role: Viewer["role"];
	status: "active" | "inactive" | "suspended" | "pending_verification";
	/** Catalogue ids owned, catalogue order. */
	strategy_ids: string[];
	created_at: string;
	last_login: string | null;
	premium_welcome: boolean;
	onboarded_at: string | null;
}

/** What the start of a scan needs to know of a user. */
export interface AccountReader {
	byId(userId: string): Promise<Account | null>;
}

/** The account's side of a removal, in the order of its steps; each may be repeated after a crash. */
export interface AccountRemoval {
	/**
	 * Notes the removal and ends every login; the account can do nothing more. False: no such user.
	 * Throws validation_failed (last active admin).
	 */
	begin(userId: string): Promise<boolean>;
	/** Frees the e-mail and drops account, password and logins. */
	dropAccount(userId: string): Promise<void>;
	/** Drops every key that is left in the user's slot, and the note. */
	finish(userId: string): Promise<void>;
	/** Users whose removal has begun and not ended. */
	pending(): Promise<string[]>;
}

/** What else belongs to a user and leaves traces outside the user's own keys. */
export interface UserTraces {
	/** Removes those traces; may be repeated. The keys in the user's slot go by themselves. */
	forget(userId: string): Promise<void>;
}

/** Whose secret it is. Sealed for one webhook it does not open for another. */
export interface WebhookOwner {
	user_id: string;
	webhook_id: string;
}

/** Seals secrets of webhooks for the store. What `seal` returns is text that `open` reads again. */
export interface SecretBox {
	seal(owner: WebhookOwner, secret: string): string;
	/** Throws when the text was sealed for another webhook or with a key that is not there any more. */
	open(owner: WebhookOwner, sealed: string): string;
}

/** Removes users with all that is theirs. */
export interface UserRemoval {
	/** `by`: who asked for it; a running scan's last entry names them. False: no such user. */
	remove(userId: string, by: string): Promise<boolean>;
	/** Finishes removals that a dying process left; returns how many. */
	settle(): Promise<number>;
}

/** Effective policy of a strategy. strategy_key = id without `ai_`. */
export interface StrategyPolicy {
	strategy_key: string;
	max_symbols: number | null;
	chunk_size: number | null;
	priority: number | null;
	enabled: boolean;
	source: "default" | "config" | "database";
	id: string;
	created_at: string | null;
	updated_at: string | null;
}

export interface PolicyReader {
	list(): Promise<StrategyPolicy[]>;
}
