import type { Redis } from "ioredis";
import { type LoopTurns, loopTurns } from "../loop-turns.ts";
import type { Send } from "../redis/quick.ts";
import type { CommitHub } from "./commit-hub.ts";
import type { CommitLines } from "./commit-lines.ts";
import { createCommitTally } from "./commit-tally.ts";
import type { WorkerInfo } from "./contract.ts";
import { addPairs, addPatterns, addResults, count } from "./field-pairs.ts";
import type { Pace } from "./gathering.ts";
import { encodeBatch } from "./journal-codec.ts";
import { channels, globalKeys, scanKeys, userKeys } from "./keys.ts";
import { builtVersions, type Versions } from "./migrations.ts";
import { createRounds } from "./rounds.ts";
import { type BookingSettings, finish, forget, purgeTombstones, tombstone } from "./scan-booking.ts";
import { claim, claimedByStart, decideStart } from "./scan-claims.ts";
import { eventOf } from "./scan-codec.ts";
import { erase } from "./scan-erase.ts";
import { enter, unlist, walk } from "./scan-index.ts";
import { begin, create } from "./scan-starts.ts";
import * as scripts from "./scripts.ts";
import { addTotals } from "./totals.ts";
import { rememberedScans } from "./user-scans.ts";
import type { Commit, CommitMoment, CommitResult, Heartbeat, ScanWriter, StartDecision } from "./write-contract.ts";

export interface WriterSettings extends BookingSettings {
	/** Machine versions; absent: those of this build. */
	versions?: Versions;
}

interface WriterDeps {
	redis: Redis;
	/** Sends scripts, whose arguments are many; default: the client's own method. */
	send?: Send;
	/** On which connection the commits of a scan leave; default: that of everything. */
	commits?: CommitLines["of"];
	hub: CommitHub;
	now: () => number;
	/** Of what is done for many together; absent: nothing rests. */
	pace?: Pace;
	/** Absent: those of this process. */
	turns?: LoopTurns;
	settings: WriterSettings;
}

/** The write half of the store on ioredis; every decision is taken inside one Lua script. */
export function createScanWriter(deps: WriterDeps): ScanWriter {
	const { redis, send, commits, hub, now, pace, turns = loopTurns, settings } = deps;
	const versions = settings.versions ?? builtVersions;
	const tally = createCommitTally();
	const run = (script: scripts.Script, args: (string | number)[]) => scripts.runScript(redis, script, args, send);
	const runCommit = (commit: Commit): Promise<unknown> => {
		const line = commits?.(commit.scan_id) ?? { redis, send };
		return scripts.runScript(line.redis, scripts.COMMIT, commitArgs(commit, settings.retention_ms), line.send);
	};
	const rounds = createRounds({ redis, run, retentionMs: settings.retention_ms, pace });
	// The start would stand still for one more write to the disk.
	const countStart = (decided: StartDecision | null): void => {
		if (decided?.decision === "created" || decided?.decision === "superseded") rounds.started();
	};
	/** First commits under way that accept their scans. */
	const accepting = new Map<string, Promise<CommitResult>>();
	const tell = ({ ended: last }: Commit, at_ms: number, told?: (moment: CommitMoment) => void): void =>
		told?.({ at_ms, expires_at_ms: last ? at_ms + settings.retention_ms : null });
	async function sendCommit(commit: Commit, told?: (moment: CommitMoment) => void): Promise<CommitResult> {
		const [result, at] = (await runCommit(commit)) as [CommitResult, string];
		if (result === "ok") tell(commit, Number(at), told);
		tally.commit(commit, result);
		return result;
	}
	async function drop(scanId: string): Promise<boolean> {
		const keys = scanKeys(scanId);
		const dropped =
			(await run(scripts.DROP, [keys.scan, keys.journal, keys.lifecycle, keys.debug, keys.results])) === 1;
		if (dropped) await unlist(redis, [scanId]);
		return dropped;
	}
	return {
		now,
		create: (scan) => create(redis, run, scan),
		async accept(scanId, begun = false) {
			if (begun) {
				await turns.over();
				const along = await accepting.get(scanId)?.catch(() => null);
				if (along === "ok" || along === "duplicate") return true;
			}
			return (await run(scripts.ACCEPT, [scanKeys(scanId).scan])) === 1;
		},
		drop,
		async decideStart(claim) {
			const decided = await decideStart(run, claim);
			countStart(decided);
			return decided;
		},
		async begin(scan, claim) {
			const decided = await begin(redis, run, scan, claim, async () => {
				// Of a reserved id another process may have finished the start meanwhile: then scan and claim stand.
				if (!(await drop(claim.scan_id)) && (await redis.hget(scanKeys(claim.scan_id).scan, "owner")) === scan.owner)
					return;
				await forget(run, settings, now(), claim.user_id, claim.filter_key, claim.scan_id);
			});
			countStart(decided);
			return decided;
		},
		addTotals: (amounts) => addTotals(redis, amounts),
		async activeScan(userId, filterKey) {
			const held = await redis.hget(userKeys(userId).active, filterKey);
			const [scan_id, accepted, superseded] = held?.split("|") ?? [];
			return scan_id ? { scan_id, accepted_at_ms: Number(accepted), superseded: superseded || null } : null;
		},
		claimedByStart: (scanId) => claimedByStart(redis, now, scanId),
		claim: (scanId, worker, nonce, leaseMs, mode) =>
			claim({ redis, run, now, claimed: rounds.claimed }, { scanId, worker, nonce, leaseMs, mode, versions }),
		async heartbeat(scanId, epoch, leaseMs, accepts = false): Promise<Heartbeat> {
			const keys = scanKeys(scanId);
			const args = [keys.scan, keys.inbox, epoch, leaseMs, accepts ? "1" : ""];
			const reply = (await run(scripts.HEARTBEAT, args)) as string[];
			const [status, at, newest] = reply as [Heartbeat["status"], string, string];
			if (status === "ok") await enter(redis, globalKeys.leases, Number(at) + leaseMs, scanId);
			return { status, inbox_newest: newest };
		},
		async release(scanId, epoch) {
			const released = await run(scripts.RELEASE, [scanKeys(scanId).scan, epoch]);
			if (released === 1) await enter(redis, globalKeys.leases, 0, scanId);
		},
		commit(commit, told) {
			const sent = sendCommit(commit, told);
			if (!commit.accepts) return sent;
			accepting.set(commit.scan_id, sent);
			return sent.finally(() => accepting.delete(commit.scan_id));
		},
		async send(scanId, event) {
			const keys = scanKeys(scanId);
			const args = [keys.scan, keys.inbox, JSON.stringify(event), channels.inbox, scanId];
			return (await run(scripts.SEND, args)) as "ok" | "ended" | "missing";
		},
		async inbox(scanId, afterId) {
			const entries = await redis.xrange(scanKeys(scanId).inbox, afterId ? `(${afterId}` : "-", "+", "COUNT", 100);
			return entries.map(([id, fields]) => ({ id, event: eventOf(fields[1]) }));
		},
		onInbox: (listener) => hub.onInbox(listener),
		finish(record, figures, keep) {
			const booked = finish({ run, settings, rounds }, record, figures, keep).then((surplus) => {
				// Last: a scan that stays listed is booked again by the sweeper, which changes nothing.
				rounds.ended(record.scan_id);
				return surplus;
			});
			return rounds.noted(booked);
		},
		forget: (userId, filterKey, scanId) => forget(run, settings, now(), userId, filterKey, scanId),
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
			await redis.zadd(globalKeys.tombstones, now() + settings.tombstone_ms, tombstone(userId, scanId));
			return (await redis.del(keys.scan, keys.journal, keys.lifecycle, keys.debug, keys.results, keys.inbox)) > 0;
		},
		overdue: (limit) => redis.zrangebyscore(globalKeys.due, "-inf", now(), "LIMIT", 0, limit),
		leaseless: (limit) => redis.zrangebyscore(globalKeys.leases, "-inf", now(), "LIMIT", 0, limit),
		unclaimed: (ageMs, limit) => redis.zrangebyscore(globalKeys.unclaimed, "-inf", now() - ageMs, "LIMIT", 0, limit),
		async isUnaccepted(scanId) {
			const [owner, accepted] = await redis.hmget(scanKeys(scanId).scan, "owner", "accepted");
			return Boolean(owner) && accepted !== "1";
		},
		async postpone(scanId, delayMs) {
			await redis.zadd(globalKeys.due, "XX", now() + delayMs, scanId);
		},
		unlist: (scanId) => unlist(redis, [scanId]),
		async walk(count) {
			const from = (await redis.get(globalKeys.walk)) ?? "0";
			const { cursor, relisted, dead } = await walk(redis, from, now(), count);
			for (const claim of dead) await forget(run, settings, now(), claim.user_id, claim.filter_key, claim.scan_id);
			await redis.set(globalKeys.walk, cursor);
			tally.healed("relisted", relisted.length);
			tally.healed("claim_released", dead.length);
			return relisted;
		},
		scansOf: (userId, limit) => rememberedScans(redis, userId, limit),
		erase: (userId, scanIds) => erase(redis, now(), userId, scanIds, settings.retention_ms),
		purgeTombstones: (limit) => purgeTombstones(redis, now(), limit),
		async noteWorker(worker: WorkerInfo) {
			await redis.hset(globalKeys.workers, worker.worker_id, JSON.stringify(worker));
		},
		async forgetWorker(workerId) {
			await redis.hdel(globalKeys.workers, workerId);
		},
		async noteSweep() {
			await redis.set(globalKeys.sweep, now());
			await dropSilentWorkers(redis, now());
			await tally.flush((amounts) => addTotals(redis, amounts));
		},
		async lastSweepMs() {
			const text = await redis.get(globalKeys.sweep);
			return text === null ? null : Number(text);
		},
		settle: rounds.settle,
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

function commitArgs(commit: Commit, retentionMs: number): (string | number)[] {
	const keys = scanKeys(commit.scan_id);
	const { lifecycle, debug, results, entries } = commit;
	const scan = commit.accepts ? { ...commit.scan, accepted: "1" } : commit.scan;
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
		channels.allCommits,
		count(scan),
		count(lifecycle),
		count(debug),
		results.size,
		encodeBatch(entries, commit.events),
	];
	for (const part of [scan, lifecycle, debug]) addPairs(args, part);
	addResults(args, results);
	if (commit.debugPatterns) addPatterns(args, commit.debugPatterns);
	return args;
}
