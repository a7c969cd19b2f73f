import type { Redis } from "ioredis";
import { SCAN_MACHINE_ID, type ScanInput } from "../../machines/types.ts";
import type { CommitHub } from "./commit-hub.ts";
import type { WorkerInfo } from "./contract.ts";
import { channels, globalKeys, scanKeys, userKeys } from "./keys.ts";
import { type BookingSettings, finish } from "./scan-booking.ts";
import { decodeRecord, fromPairs } from "./scan-codec.ts";
import * as scripts from "./scripts.ts";
import type {
	ClaimMode,
	ClaimResult,
	Commit,
	CommitResult,
	Heartbeat,
	MachineEvent,
	NewScan,
	ScanWriter,
	StartClaim,
	StartDecision,
	UnacceptedStart,
} from "./write-contract.ts";

export type WriterSettings = BookingSettings;

interface WriterDeps {
	redis: Redis;
	hub: CommitHub;
	now: () => number;
	settings: WriterSettings;
}

/** How often a worker looks whether another version's scan has become one of its own. */
const FOREIGN_RECHECK_MS = 60_000;

/** How long a record may wait to be accepted before it goes by itself: far longer than any start takes. */
const UNACCEPTED_MS = 600_000;

const flat = (fields: Record<string, string>): string[] => Object.entries(fields).flat();
const count = (fields: Record<string, string>): number => Object.keys(fields).length;

/** The write half of the store on ioredis; every decision is taken inside one Lua script. */
export function createScanWriter({ redis, hub, now, settings }: WriterDeps): ScanWriter {
	const run = (script: scripts.Script, args: (string | number)[]) => scripts.runScript(redis, script, args);
	return {
		now,
		create: (scan) => create(redis, run, scan),
		async accept(scanId) {
			const keys = scanKeys(scanId);
			return (await run(scripts.ACCEPT, [keys.scan, keys.journal, keys.lifecycle, keys.debug])) === 1;
		},
		async drop(scanId) {
			const keys = scanKeys(scanId);
			const dropped = (await run(scripts.DROP, [keys.scan, keys.journal, keys.lifecycle, keys.debug])) === 1;
			if (dropped) await unlist(redis, scanId);
			return dropped;
		},
		decideStart: (claim) => decideStart(run, claim),
		async activeScan(userId, filterKey) {
			const held = await redis.hget(userKeys(userId).active, filterKey);
			const [scan_id, accepted, superseded] = held?.split("|") ?? [];
			return scan_id ? { scan_id, accepted_at_ms: Number(accepted), superseded: superseded || null } : null;
		},
		claimedByStart: (scanId) => claimedByStart(redis, now, scanId),
		claim: (scanId, worker, nonce, leaseMs, mode) => claim(redis, run, now, { scanId, worker, nonce, leaseMs, mode }),
		async heartbeat(scanId, epoch, leaseMs): Promise<Heartbeat> {
			const keys = scanKeys(scanId);
			const reply = (await run(scripts.HEARTBEAT, [keys.scan, keys.inbox, epoch, leaseMs])) as string[];
			const [status, at, newest] = reply as [Heartbeat["status"], string, string];
			if (status === "ok") await redis.zadd(globalKeys.leases, Number(at) + leaseMs, scanId);
			return { status, inbox_newest: newest };
		},
		async release(scanId, epoch) {
			const released = await run(scripts.RELEASE, [scanKeys(scanId).scan, epoch]);
			if (released === 1) await redis.zadd(globalKeys.leases, 0, scanId);
		},
		commit: (commit) => writeCommit(run, commit, settings.retention_ms),
		async send(scanId, event) {
			const keys = scanKeys(scanId);
			const args = [keys.scan, keys.inbox, JSON.stringify(event), channels.inbox, scanId];
			return (await run(scripts.SEND, args)) as "ok" | "ended" | "missing";
		},
		async inbox(scanId, afterId) {
			const entries = await redis.xrange(scanKeys(scanId).inbox, afterId ? `(${afterId}` : "-", "+", "COUNT", 100);
			return entries.map(([id, fields]) => ({ id, event: JSON.parse(fields[1] ?? "{}") as MachineEvent }));
		},
		onInbox: (listener) => hub.onInbox(listener),
		async finish(record, ended) {
			await finish(redis, run, settings, record, ended);
			await unlist(redis, record.scan_id);
		},
		async forget(userId, filterKey, scanId) {
			const keys = userKeys(userId);
			await run(scripts.FINISH, [
				keys.active,
				keys.fresh,
				keys.ended,
				keys.scans,
				filterKey,
				scanId,
				0,
				0,
				"",
				now(),
				settings.tombstone_ms,
			]);
		},
		async freshScan(userId, filterKey) {
			const [scan_id, completed, fingerprint] = (await redis.hget(userKeys(userId).fresh, filterKey))?.split("|") ?? [];
			return scan_id ? { scan_id, completed_at_ms: Number(completed), fingerprint: fingerprint ?? "" } : null;
		},
		async forgetFresh(userId, filterKey, scanId) {
			const { fresh } = userKeys(userId);
			const held = await redis.hget(fresh, filterKey);
			if (held?.startsWith(`${scanId}|`)) await redis.hdel(fresh, filterKey);
		},
		async expireNow(userId, scanId) {
			const keys = scanKeys(scanId);
			await redis.zadd(userKeys(userId).ended, now(), scanId);
			return (await redis.del(keys.scan, keys.journal, keys.lifecycle, keys.debug, keys.results, keys.inbox)) > 0;
		},
		async endedBeyond(userId, keep) {
			const { scans, ended } = userKeys(userId);
			const surplus = await redis.zrevrange(scans, keep, keep + 99);
			if (surplus.length === 0) return [];
			const until = await redis.zmscore(ended, ...surplus);
			return surplus.filter((_, i) => Number(until[i] ?? 0) > now()).reverse();
		},
		overdue: (limit) => redis.zrangebyscore(globalKeys.due, "-inf", now(), "LIMIT", 0, limit),
		leaseless: (limit) => redis.zrangebyscore(globalKeys.leases, "-inf", now(), "LIMIT", 0, limit),
		unclaimed: (ageMs, limit) => redis.zrangebyscore(globalKeys.unclaimed, "-inf", now() - ageMs, "LIMIT", 0, limit),
		async postpone(scanId, delayMs) {
			await redis.zadd(globalKeys.due, "XX", now() + delayMs, scanId);
		},
		unlist: (scanId) => unlist(redis, scanId),
		async noteWorker(worker: WorkerInfo) {
			await redis.hset(globalKeys.workers, worker.worker_id, JSON.stringify(worker));
		},
		async forgetWorker(workerId) {
			await redis.hdel(globalKeys.workers, workerId);
		},
		async noteSweep() {
			await dropSilentWorkers(redis, now());
			await redis.set(globalKeys.sweep, now());
		},
		async lastSweepMs() {
			const text = await redis.get(globalKeys.sweep);
			return text === null ? null : Number(text);
		},
	};
}

/** A worker that was killed cannot take itself off the list. */
const WORKER_FORGOTTEN_MS = 300_000;

async function dropSilentWorkers(redis: Redis, nowMs: number): Promise<void> {
	const listed = await redis.hgetall(globalKeys.workers);
	const silent = Object.entries(listed).filter(
		([, text]) => nowMs - (JSON.parse(text) as WorkerInfo).last_seen_at_ms > WORKER_FORGOTTEN_MS,
	);
	if (silent.length > 0) await redis.hdel(globalKeys.workers, ...silent.map(([workerId]) => workerId));
}

type Run = (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;

async function create(redis: Redis, run: Run, scan: NewScan): Promise<void> {
	const keys = scanKeys(scan.scan_id);
	const fields = { owner: scan.owner, ...scan.scan };
	const { type, phase, at_ms, payload } = scan.entry;
	// Indexed first: whatever happens between the steps of a start, a sweeper finds the record.
	await Promise.all([
		redis.zadd(globalKeys.due, scan.deadline_at_ms, scan.scan_id),
		redis.zadd(globalKeys.unclaimed, scan.accepted_at_ms, scan.scan_id),
	]);
	const head = [scan.owner, count(fields), count(scan.lifecycle), count(scan.debug)];
	const created = await run(scripts.CREATE, [
		keys.scan,
		keys.journal,
		keys.lifecycle,
		keys.debug,
		...head,
		...flat(fields),
		...flat(scan.lifecycle),
		...flat(scan.debug),
		type,
		phase,
		at_ms,
		JSON.stringify(payload),
		"",
		UNACCEPTED_MS,
	]);
	if (created !== 1) throw new Error(`scan id ${scan.scan_id} is taken`);
}

async function decideStart(run: Run, claim: StartClaim): Promise<StartDecision> {
	const keys = userKeys(claim.user_id);
	const [decision, scan_id, detail] = (await run(scripts.START, [
		keys.active,
		keys.fresh,
		keys.scans,
		claim.filter_key,
		claim.scan_id,
		claim.force ? 1 : 0,
		claim.force_join_ms,
		claim.fresh_ms,
		claim.fingerprint,
		claim.accepted_at_ms,
	])) as [StartDecision["decision"], string, string];
	return { decision, scan_id, detail };
}

async function claimedByStart(redis: Redis, now: () => number, scanId: string): Promise<UnacceptedStart> {
	const [user_id, input] = await redis.hmget(scanKeys(scanId).scan, "owner", "input");
	if (!user_id || !input)
		return { kind: "gone", age_ms: now() - Number(await redis.zscore(globalKeys.unclaimed, scanId)) };
	const { filter_key, accepted_at_ms } = JSON.parse(input) as ScanInput;
	const held = await redis.hget(userKeys(user_id).active, filter_key);
	return held?.startsWith(`${scanId}|`)
		? { kind: "named", user_id, filter_key }
		: { kind: "waiting", age_ms: now() - accepted_at_ms };
}

async function claim(
	redis: Redis,
	run: Run,
	now: () => number,
	{
		scanId,
		worker,
		nonce,
		leaseMs,
		mode,
	}: { scanId: string; worker: string; nonce: string; leaseMs: number; mode: ClaimMode },
): Promise<ClaimResult> {
	// The index goes first: a claimer that dies right after the claim is found when the lease is over.
	await redis.zadd(globalKeys.leases, now() + leaseMs, scanId);
	const [kind, first, second, ...pairs] = (await run(scripts.CLAIM, [
		scanKeys(scanId).scan,
		worker,
		nonce,
		leaseMs,
		mode,
		SCAN_MACHINE_ID,
	])) as string[];
	switch (kind) {
		case "granted": {
			await redis.zrem(globalKeys.unclaimed, scanId);
			const fields = fromPairs(pairs);
			const record = decodeRecord(scanId, fields);
			const inbox_after = fields.inbox ?? "";
			return { kind, record, lost_lease: second === "1", lease_until_ms: Number(first) + leaseMs, inbox_after };
		}
		case "held":
			await redis.zadd(globalKeys.leases, Number(first), scanId);
			return { kind, lease_until_ms: Number(first) };
		case "foreign":
			await redis.zadd(globalKeys.leases, now() + FOREIGN_RECHECK_MS, scanId);
			return { kind };
		case "unaccepted":
			await redis.zrem(globalKeys.leases, scanId);
			return { kind };
		case "ended":
		case "missing":
			await redis.zrem(globalKeys.leases, scanId);
			return { kind };
		default:
			throw new Error(`unexpected reply of the claim script: ${kind}`);
	}
}

async function writeCommit(run: Run, commit: Commit, retentionMs: number): Promise<CommitResult> {
	const keys = scanKeys(commit.scan_id);
	const { scan, lifecycle, debug, results, entries } = commit;
	const args: (string | number)[] = [
		keys.scan,
		keys.journal,
		keys.lifecycle,
		keys.debug,
		keys.results,
		keys.inbox,
		commit.epoch,
		commit.base_seq,
		commit.base_seq + entries.length,
		commit.ended ? 1 : 0,
		retentionMs,
		commit.lease_ms,
		channels.commits,
		commit.scan_id,
		count(scan),
		count(lifecycle),
		count(debug),
		count(results),
		entries.length,
		...flat(scan),
		...flat(lifecycle),
		...flat(debug),
		...flat(results),
	];
	entries.forEach((entry, position) => {
		const events = position === 0 && commit.events.length > 0 ? JSON.stringify(commit.events) : "";
		args.push(
			entry.type,
			entry.phase,
			entry.strategy_id ?? "",
			entry.attempt ?? "",
			entry.at_ms,
			JSON.stringify(entry.payload),
			events,
		);
	});
	const [result] = (await run(scripts.COMMIT, args)) as [CommitResult, string];
	return result;
}

async function unlist(redis: Redis, scanId: string): Promise<void> {
	await Promise.all([
		redis.zrem(globalKeys.due, scanId),
		redis.zrem(globalKeys.leases, scanId),
		redis.zrem(globalKeys.unclaimed, scanId),
	]);
}
