/**
 * Every key about scans, in one place. The braces are Redis Cluster hash tags and literally part of
 * the key: all keys of one scan share a slot, all keys of one user share another.
 */
export const scanKeys = (scanId: string) => ({
	/** hash: envelope (owner, seq, epoch, lease ...), input, snapshot, `k:<name>` per summary of a phase, `s:...` of strategies */
	scan: `scan:{${scanId}}`,
	/** stream, one element for each commit, its id `<last seq>-0`: Redis itself refuses a second writer of a seq */
	journal: `scan_journal:{${scanId}}`,
	/** hash: rows `r:<opportunity_id>`, documents `d:<name>` (packed); written once */
	results: `scan_results:{${scanId}}`,
	/** stream of commands from outside (cancel) */
	inbox: `scan_inbox:{${scanId}}`,
	/** hashes that operators know */
	lifecycle: `scan_lifecycle:{${scanId}}`,
	debug: `scan_debug:{${scanId}}`,
});

export const userKeys = (userId: string) => ({
	/** zset: scan_id by accepted_at; ids of expired scans stay until a list meets them */
	scans: `scans:{${userId}}`,
	/** hash: filter_key -> scan_id|accepted_at_ms|superseded id */
	active: `scans_active:{${userId}}`,
	/** hash: filter_key -> scan_id|completed_at_ms|fingerprint */
	fresh: `scans_fresh:{${userId}}`,
	/** hash: scan_id -> JSON shown in lists; a cache that may be dropped */
	summaries: `scans_summaries:{${userId}}`,
	/** zset: scan_id of ended scans by the moment their record goes; keeps ids until their tombstone is over */
	ended: `scans_ended:{${userId}}`,
});

export const globalKeys = {
	/** zset: every scan that has not ended (and been booked), by deadline_at */
	due: "scans:due",
	/** zset: claimed scans by the end of their lease */
	leases: "scans:leases",
	/** zset: scans no worker has claimed yet, by accepted_at */
	unclaimed: "scans:unclaimed",
	/** zset: `<user_id> <scan_id>` of ended scans by the moment their tombstone is over */
	tombstones: "scans:tombstones",
	/** hash: worker_id -> JSON */
	workers: "scan_workers",
	/** list of the 200 newest ended scans, JSON */
	recent: "scans_recent",
	/** hash: running totals over all processes, `name|label|label` -> whole number */
	totals: "scan_totals:{monitoring}",
	/** string: written by health checks only */
	probe: "store_probe",
	/** string: when some process last finished a sweep, epoch ms */
	sweep: "scan_sweep",
	/** string: where the walk over all records goes on (SCAN cursor) */
	walk: "scan_walk",
	/** string JSON: the last ended scan */
	latest: "service_metrics:user_initiated_scans",
};

/** The guard key carries the statistics key as its hash tag, so both share a slot. */
export const dayKeys = (date: string) => ({
	stats: `opportunity_scan_stats:${date}`,
	counted: `scan_counted:{opportunity_scan_stats:${date}}`,
	timeouts: `scan_timeouts:{opportunity_scan_stats:${date}}`,
	errors: `opportunity_discovery_errors:${date}`,
	errorsCounted: `scan_counted:{opportunity_discovery_errors:${date}}`,
});

/** Set of the scans that were counted in the totals; date: YYYY-MM-DD of their end. */
export const totalsGuardKey = (date: string): string => `scan_totals_counted:{monitoring}:${date}`;

export const universeKey = (hash: string): string => `market_universe:${hash}`;

/**
 * What is kept of a market source. Exchanges at another address (a replay, a proxy) are other exchanges: beside the real
 * ones in one Redis they have answers, budgets and bans of their own. A name or a password in the address is left out.
 */
export const sourceAt = (source: string, baseUrl: string | null): string =>
	baseUrl === null ? source : `${source}@${new URL(baseUrl).host}`;

/** All keys about one market source share a slot; each ends by itself. */
export const marketKeys = (source: string) => ({
	/** prefix of hashes, one per answer: c covers, k claims, r recheck at, a fetched at, b bytes */
	answers: `market_answer:{${source}}:`,
	/** prefix of strings: who fetches an answer now */
	leases: `market_lease:{${source}}:`,
	/** prefix of strings: why an answer could not be fetched just now */
	failures: `market_failure:{${source}}:`,
	/** zset: names of the answers by the moment they were kept */
	ages: `market_ages:{${source}}`,
	/** hash: bytes of each answer by name, and of all together under the empty name */
	sizes: `market_sizes:{${source}}`,
	/** hash: weight by the number of its part of the window */
	weights: `market_weights:{${source}}`,
	/** hash: process -> since|weight|seen of the call at the head of its queue */
	waiting: `market_waiting:{${source}}`,
	/** hash: `blocked` until when, `open:<endpoint>` until when */
	faults: `market_faults:{${source}}`,
	/** prefix of strings: which process tries an endpoint that was broken */
	probes: `market_probe:{${source}}:`,
});

const COMMITS = "scan_commits:";

/** Pub/sub channels. Messages are hints: whoever needs to be sure reads the record. */
export const channels = {
	/** `<scan_id> <seq> <0|1 ended>` after every commit of the scan */
	commits: (scanId: string) => `${COMMITS}{${scanId}}`,
	/** What stands before the id in each of them. */
	allCommits: COMMITS,
	/** `<scan_id>` after every new command in an inbox */
	inbox: "scan_inbox_news",
};
