import type { Redis } from "ioredis";
import type { ScanInput } from "../../machines/types.ts";
import { wholeInput } from "./input-codec.ts";
import { globalKeys, scanKeys, userKeys } from "./keys.ts";
import type { Versions } from "./migrations.ts";
import { decodeRecord, fromPairs } from "./scan-codec.ts";
import { enter } from "./scan-index.ts";
import * as scripts from "./scripts.ts";
import { addTotals, TOTAL } from "./totals.ts";
import type { ClaimMode, ClaimResult, StartClaim, StartDecision, UnacceptedStart } from "./write-contract.ts";

/** The two claims: a user's on a filter set (one active scan each), and a worker's on a scan. */

type Run = (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;

export async function decideStart(run: Run, claim: StartClaim): Promise<StartDecision> {
	const keys = userKeys(claim.user_id);
	const [decision, scan_id, detail] = (await run(scripts.START, [
		keys.active,
		keys.fresh,
		keys.scans,
		keys.ended,
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

export async function claimedByStart(redis: Redis, now: () => number, scanId: string): Promise<UnacceptedStart> {
	const [user_id, input] = await redis.hmget(scanKeys(scanId).scan, "owner", "input");
	if (!user_id || !input)
		return { kind: "gone", age_ms: now() - Number(await redis.zscore(globalKeys.unclaimed, scanId)) };
	const { filter_key, accepted_at_ms } = wholeInput(input) as ScanInput;
	const held = await redis.hget(userKeys(user_id).active, filter_key);
	return held?.startsWith(`${scanId}|`)
		? { kind: "named", user_id, filter_key }
		: { kind: "waiting", age_ms: now() - accepted_at_ms };
}

interface ClaimDeps {
	redis: Redis;
	run: Run;
	now: () => number;
	/** Takes a scan off the list of those that wait for a worker, some time. */
	claimed(scanId: string): void;
}

/**
 * Claims with `act` what `list` enters into the index of leases. The index goes first, on one connection: a claimer that
 * dies right after the claim is found when the lease is over.
 */
export async function listedFirst<T>(list: () => Promise<unknown>, act: () => Promise<T>): Promise<T> {
	const [listed, answered] = await Promise.allSettled([list(), act()]);
	if (answered.status === "rejected") throw answered.reason;
	// Once more; a heartbeat or the walk over all records lists it otherwise.
	if (listed.status === "rejected") await list().catch(() => undefined);
	return answered.value;
}

export async function claim(
	{ redis, run, now, claimed }: ClaimDeps,
	{
		scanId,
		worker,
		nonce,
		leaseMs,
		mode,
		versions,
	}: { scanId: string; worker: string; nonce: string; leaseMs: number; mode: ClaimMode; versions: Versions },
): Promise<ClaimResult> {
	const list = () => enter(redis, globalKeys.leases, now() + leaseMs, scanId);
	const keys = scanKeys(scanId);
	const args = [keys.scan, keys.inbox, worker, nonce, leaseMs, mode, ...versions.carried];
	const [kind, first, second, ...rest] = (await listedFirst(list, () => run(scripts.CLAIM, args))) as string[];
	switch (kind) {
		case "granted": {
			// Nobody waits: what stays listed there is taken off when it is looked at, or when the scan is booked.
			claimed(scanId);
			if (mode === "normal" && second === "1") addTotals(redis, { [TOTAL.takeovers]: 1 }).catch(() => undefined);
			const [inbox_newest = "", ...pairs] = rest;
			const fields = fromPairs(pairs);
			const record = decodeRecord(scanId, fields, versions);
			const inbox_after = fields.inbox ?? "";
			const idle_ms = Number(fields.idle ?? "0");
			const lease_until_ms = Number(first) + leaseMs;
			return { kind, record, lost_lease: second === "1", idle_ms, lease_until_ms, inbox_after, inbox_newest };
		}
		case "held":
			// Somebody has claimed it; whoever was to take it off that list has not been heard.
			if (mode === "normal") claimed(scanId);
			await enter(redis, globalKeys.leases, Number(first), scanId);
			return { kind, lease_until_ms: Number(first) };
		case "foreign":
			// The index belongs to workers of all versions: it must say what it said, or the scan is hidden from its own.
			if (second) await enter(redis, globalKeys.leases, Number(first), scanId);
			else await redis.zrem(globalKeys.leases, scanId);
			return { kind };
		case "unaccepted":
			// To one that was made as claimed that index leads, so it stays there, a lease ahead: its start may take as long, and
			// until then it is not looked at by every pass.
			if (!first) await redis.zrem(globalKeys.leases, scanId);
			return { kind };
		case "ended":
		case "missing":
			await redis.zrem(globalKeys.leases, scanId);
			return { kind };
		default:
			throw new Error(`unexpected reply of the claim script: ${kind}`);
	}
}
