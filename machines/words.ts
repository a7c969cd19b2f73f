/** The closed lists of words of a scan: where it stands, how it and its strategies end, and why. */

/** Id and version of the machine whose snapshots this build writes. */
export const SCAN_MACHINE_ID = "scan.v1";

export const PHASES = [
	"started",
	"portfolio_fetch",
	"asset_discovery",
	"strategies_scan",
	"ranking",
	"completed",
	"failed",
	"cancelled",
] as const;
export type Phase = (typeof PHASES)[number];

/** Where a scan stands: `queued` before the first claim, then its phase. */
export type ScanPosition = "queued" | Phase;

export const VERDICTS = ["ok_found", "ok_empty", "degraded", "failed", "timed_out", "skipped", "cancelled"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The last four are verdict words too; `running` and `pending` are the two open ones. */
export type VerdictCounts = Record<Verdict | "running" | "pending", number>;

export type Outcome = "found" | "found_with_gaps" | "empty" | "incomplete" | "nothing_to_scan";

export type SkipReason =
	| "not_entitled"
	| "disabled_by_policy"
	| "not_available"
	| "no_symbols"
	| "no_positions"
	| "portfolio_too_small";

/** Why a scan may fail. */
export const SCAN_ERROR_CODES = [
	"portfolio_fetch_failed",
	"asset_discovery_failed",
	"all_strategies_failed",
	"ranking_failed",
	"budget_exceeded",
	"not_claimed",
	"worker_lost",
	"internal_error",
] as const;
export type ScanErrorCode = (typeof SCAN_ERROR_CODES)[number];

export type CancelReason = "user_request" | "admin_request" | "superseded";
