import type { Redis } from "ioredis";
import { runScript, script, urgent } from "../store/script-runner.ts";
import { withBase } from "./bases.ts";
import type {
	RunClaim,
	RunOutcome,
	SaveAnswer,
	ScheduleBase,
	ScheduleSpec,
	ScheduleState,
	ScheduleStore,
	StoredSchedule,
} from "./contract.ts";
import {
	SCHEDULES_GLOB,
	scheduleOwnersKey,
	scheduleRunsKey,
	schedulesDueKey,
	schedulesKey,
	scheduleWalkKey,
	userOfSchedulesKey,
} from "./keys.ts";
import { CLAIM_RUN, CONCLUDE_RUN, NOTE_BASES, REMOVE, SAVE } from "./schedule-scripts.ts";

const SAVE_SCRIPT = script(3, SAVE);
const REMOVE_SCRIPT = script(2, REMOVE);
const CLAIM_SCRIPT = script(2, CLAIM_RUN);
const CONCLUDE_SCRIPT = script(2, CONCLUDE_RUN);
/** Part of the end of a scan, which a full server must not hold up. */
const NOTE_BASES_SCRIPT = urgent(2, NOTE_BASES);
/** Scans of one schedule end one after the other; more than this never end at once. */
const NOTES_TRIED_MAX = 10;

/** @param accountKey key of the account: what is under way while its user is deleted must leave nothing. */
export function createScheduleStore(
	redis: Redis,
	now: () => number,
	accountKey: (userId: string) => string,
): ScheduleStore {
	const keysOf = (userId: string): [string, string] => [schedulesKey(userId), scheduleRunsKey(userId)];

	async function list(userId: string): Promise<StoredSchedule[]> {
		const [specs, runs] = await Promise.all([
			redis.hgetall(schedulesKey(userId)),
			redis.hgetall(scheduleRunsKey(userId)),
		]);
		return Object.values(specs)
			.map((text) => JSON.parse(text) as ScheduleSpec)
			.map((spec) => ({ spec, state: stateOf(runs, spec.schedule_id) }))
			.sort(
				(a, b) => a.spec.created_at_ms - b.spec.created_at_ms || (a.spec.schedule_id < b.spec.schedule_id ? -1 : 1),
			);
	}

	return {
		list,
		async read(userId, scheduleId) {
			return (await list(userId)).find(({ spec }) => spec.schedule_id === scheduleId) ?? null;
		},
		async save(userId, spec, before, limit) {
			const rests = before !== null && (spec.paused || spec.since_ms !== before.since_ms);
			const args = [spec.schedule_id, JSON.stringify(spec), before ? JSON.stringify(before) : "", limit, rests ? 1 : 0];
			return (await runScript(redis, SAVE_SCRIPT, [accountKey(userId), ...keysOf(userId), ...args])) as SaveAnswer;
		},
		async remove(userId, scheduleId) {
			return (await runScript(redis, REMOVE_SCRIPT, [...keysOf(userId), scheduleId])) === 1;
		},
		async claimRun(userId, scheduleId, tickMs, token, leaseMs): Promise<RunClaim> {
			const args = [...keysOf(userId), scheduleId, tickMs, token, now(), leaseMs];
			const [kind, left] = (await runScript(redis, CLAIM_SCRIPT, args)) as [RunClaim["kind"], string?];
			return kind === "busy" ? { kind, retry_after_ms: Number(left) } : { kind };
		},
		async concludeRun(userId, scheduleId, tickMs, token, { kind, scan_id, error, pause }: RunOutcome) {
			const args = [scheduleId, tickMs, token, kind, scan_id ?? "", error ?? "", pause ? 1 : 0];
			return (await runScript(redis, CONCLUDE_SCRIPT, [...keysOf(userId), ...args])) === 1;
		},
		async noteBase(userId, scheduleId, scan) {
			for (let tried = 0; tried < NOTES_TRIED_MAX; tried++) {
				const held = (await redis.hget(scheduleRunsKey(userId), `${scheduleId}:bases`)) ?? "";
				const bases = withBase(basesOf(held), scan);
				if (bases === null) return;
				const args = [scheduleId, held, JSON.stringify(bases)];
				if ((await runScript(redis, NOTE_BASES_SCRIPT, [...keysOf(userId), ...args])) !== 0) return;
			}
			throw new Error(`the bases of ${scheduleId} change too often to be noted`);
		},
		async dropWebhook(userId, webhookId) {
			for (const { spec } of await list(userId)) {
				if (!spec.webhook_ids?.includes(webhookId)) continue;
				const without = { ...spec, webhook_ids: spec.webhook_ids.filter((id) => id !== webhookId) };
				// Whoever changed it in between has looked at the webhooks there are.
				await this.save(userId, without, spec, Number.POSITIVE_INFINITY);
			}
		},
		ownerOf: (scheduleId) => redis.hget(scheduleOwnersKey, scheduleId),
		async index(userId, scheduleId, dueMs) {
			await redis.hset(scheduleOwnersKey, scheduleId, userId);
			if (dueMs === null) await redis.zrem(schedulesDueKey, scheduleId);
			else await redis.zadd(schedulesDueKey, dueMs, scheduleId);
			// It may have been deleted in between, and whoever did that has left the index by now.
			if ((await redis.hexists(schedulesKey(userId), scheduleId)) === 0) await unindex(redis, scheduleId);
		},
		unindex: (scheduleId) => unindex(redis, scheduleId),
		due: (atMs, limit) => redis.zrangebyscore(schedulesDueKey, "-inf", atMs, "LIMIT", 0, limit),
		async walk(keys) {
			const from = (await redis.get(scheduleWalkKey)) ?? "0";
			const [cursor, found] = await redis.scan(from, "MATCH", SCHEDULES_GLOB, "COUNT", keys);
			await redis.set(scheduleWalkKey, cursor);
			return found.map(userOfSchedulesKey);
		},
		async isIndexed(scheduleId) {
			const [owner, score] = await Promise.all([
				redis.hexists(scheduleOwnersKey, scheduleId),
				redis.zscore(schedulesDueKey, scheduleId),
			]);
			return owner === 1 && score !== null;
		},
	};
}

function stateOf(runs: Record<string, string>, id: string): ScheduleState {
	const number = (field: string): number | null =>
		runs[`${id}:${field}`] === undefined ? null : Number(runs[`${id}:${field}`]);
	return {
		done_ms: number("done"),
		waiting_ms: number("waiting"),
		last_scan_id: runs[`${id}:scan`] ?? null,
		bases: basesOf(runs[`${id}:bases`] ?? ""),
		last_error: runs[`${id}:error`] ?? null,
	};
}

const basesOf = (text: string): ScheduleBase[] => (text === "" ? [] : (JSON.parse(text) as ScheduleBase[]));

async function unindex(redis: Redis, scheduleId: string): Promise<void> {
	await Promise.all([redis.hdel(scheduleOwnersKey, scheduleId), redis.zrem(schedulesDueKey, scheduleId)]);
}
