import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import * as assert from "uvu/assert";
import { accountKey } from "../../src/accounts/keys.ts";
import { parseFilters } from "../../src/filters.ts";
import type { ScheduleSpec, StoredSchedule } from "../../src/schedules/contract.ts";
import { createScheduleRunner, type RunnerDeps, type ScheduleRunner } from "../../src/schedules/runner.ts";
import { scanIdOf } from "../../src/schedules/runs.ts";
import { createScheduleStore } from "../../src/schedules/schedule-store.ts";
import type { Account, StartResult } from "../../src/services.ts";
import { sampleContext, sampleRecord } from "./records.ts";
import { testLogger } from "./store.ts";

/** One schedule in a real Redis, with time and the start of scans in the test's hands. */
export const time = { nowMs: 0 };
export const MINUTE_MS = 60_000;
export const START_MS = Date.parse("2026-05-04T10:00:30Z");

export interface ScheduleWorld {
	user: string;
	schedule: ScheduleSpec;
	/** Ids of scans that were started, in order. */
	started: string[];
	/** Running ones. */
	running: Set<string>;
	hints: string[];
	counted: string[];
	account: Pick<Account, "role" | "status"> | null;
	runner(overrides?: Partial<RunnerDeps>): ScheduleRunner;
	held(): Promise<StoredSchedule>;
	end(scanId: string): void;
}

export const scheduleStoreOn = (client: Redis) => createScheduleStore(client, () => time.nowMs, accountKey);

export async function scheduleWorld(client: Redis, fields: Partial<ScheduleSpec> = {}): Promise<ScheduleWorld> {
	const store = scheduleStoreOn(client);
	const user = randomUUID();
	await client.hset(accountKey(user), "status", "active");
	const schedule: ScheduleSpec = {
		schedule_id: `schedule_${randomUUID().replaceAll("-", "")}`,
		name: null,
		cron: "* * * * *",
		tz: "UTC",
		filters: { symbols: ["BTC"] },
		overlap: "skip",
		jitter_ms: 0,
		paused: false,
		webhook_ids: null,
		created_at_ms: time.nowMs,
		since_ms: time.nowMs,
		...fields,
	};
	assert.is(await store.save(user, schedule, null, 20), "saved");
	await store.index(user, schedule.schedule_id, time.nowMs);
	const scans = new Map<string, string>();
	const world: ScheduleWorld = {
		user,
		schedule,
		started: [],
		running: new Set(),
		hints: [],
		counted: [],
		account: { role: "trader", status: "active" },
		runner: (overrides = {}) =>
			createScheduleRunner({
				store,
				hints: {
					every: async () => undefined,
					isSet: async () => true,
					once: async (_, name, delayMs) => void world.hints.push(`${name}+${delayMs}`),
					forget: async () => void world.hints.push("forget"),
				},
				accounts: { byId: async (user_id) => world.account && ({ user_id, ...world.account } as Account) },
				scans: {
					read: async (scan_id) => {
						if (!scans.has(scan_id)) return null;
						const context = sampleContext();
						const input = { ...context.input, schedule_id: schedule.schedule_id };
						return sampleRecord({ scan_id, terminal: !world.running.has(scan_id), context: { ...context, input } });
					},
				},
				parseFilters,
				mayStart: (role) => role !== "viewer",
				admit: async () => true,
				async start(_viewer, request, scan_id): Promise<StartResult> {
					assert.is(request.schedule_id, schedule.schedule_id);
					assert.is(request.force_refresh, false);
					if (!scans.has(scan_id)) {
						scans.set(scan_id, schedule.schedule_id);
						world.started.push(scan_id);
						world.running.add(scan_id);
					}
					return { decision: "created", scan_id, superseded_scan_id: null, age_seconds: null };
				},
				now: () => time.nowMs,
				token: () => randomUUID(),
				count: (kind) => void world.counted.push(kind),
				log: testLogger(),
				...overrides,
			}),
		async held() {
			const held = await store.read(user, schedule.schedule_id);
			if (!held) throw new Error("the schedule is gone");
			return held;
		},
		end: (scanId) => void world.running.delete(scanId),
	};
	return world;
}

export const at = (minutes: number): number => START_MS - 30_000 + minutes * MINUTE_MS;
export const idAt = ({ schedule }: ScheduleWorld, minutes: number): string =>
	scanIdOf(schedule.schedule_id, at(minutes));
