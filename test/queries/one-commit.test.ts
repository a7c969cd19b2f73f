import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Queries } from "../../src/queries.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import type { Viewer } from "../../src/store/contract.ts";
import { createScanReader } from "../../src/store/scan-reader.ts";
import { queriesOn } from "../support/queries.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, untilRecord } from "../support/stuck.ts";
import { quickEffects, runtimeOn } from "../support/system.ts";

/** A scan that ends between any two commands of one answer: each part of the answer tells of the same commit. */
const one = suite("queries: one answer, one commit");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;
one.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
one.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

/** A scan that stands before its last step; `finish` lets it end. */
async function almostEnded(): Promise<{ scanId: string; owner: Viewer; finish: () => Promise<void> }> {
	const scanId = await acceptedScan(store);
	let open = () => {};
	const gate = new Promise<void>((resolve) => {
		open = resolve;
	});
	const { rankOpportunities } = quickEffects();
	const effects = quickEffects({
		async rankOpportunities(...args) {
			await gate;
			return rankOpportunities(...args);
		},
	});
	const run = runtimeOn(store, effects).run(scanId);
	const { user_id } = await untilRecord(store, scanId, ({ position }) => position === "ranking");
	const finish = async () => {
		open();
		assert.is(await run, "ended");
	};
	return { scanId, owner: { user_id, role: "trader" }, finish };
}

/** The client, with something that happens right after the `nth` command that it is answered. */
function withTurn(nth: number, happen: () => Promise<void>): { redis: Redis; answered: () => number } {
	let answered = 0;
	const turning = new Proxy(client, {
		get(target, name) {
			const member = Reflect.get(target, name);
			if (typeof member !== "function") return member;
			return async (...args: unknown[]) => {
				const reply = await member.apply(target, args);
				answered += 1;
				if (answered === nth) await happen();
				return reply;
			};
		},
	});
	return { redis: turning, answered: () => answered };
}

/** What each part of the answer says of whether the scan has ended. */
type Ask = (queries: Queries, owner: Viewer, scanId: string) => Promise<boolean[]>;

const lifecycle: Ask = async ({ diagnostics }, owner, scanId) => {
	const body = JSON.parse(await diagnostics.lifecycle(owner, scanId));
	return [body.current_status === "completed", body.phases.completed !== undefined, !body.is_stuck];
};

const debug: Ask = async ({ diagnostics }, owner, scanId) => {
	const body = (await diagnostics.debug(owner, scanId)) as {
		overall_status: string;
		steps: Record<string, { status: string }>;
	};
	return [body.overall_status === "completed", body.steps["13"]?.status === "completed"];
};

const exported: Ask = async ({ scanExport }, owner) => {
	const [body] = JSON.parse((await scanExport.scans(owner, null)).scans);
	const last = body.journal.at(-1).type;
	return [body.status.status === "complete", body.results !== null, last === "scan.completed"];
};

async function endingAnywhere(name: string, ask: Ask): Promise<void> {
	for (let nth = 1, more = true; more; nth++) {
		const { scanId, owner, finish } = await almostEnded();
		const turning = withTurn(nth, finish);
		const parts = { redis: turning.redis, hub: { next: store.reader.nextCommit } as never };
		const reader = createScanReader({ ...parts, now: store.reader.now, tombstoneMs: 1_000 });
		// Who has sent no sign of life for less than no time is stuck unless it has ended.
		const queries = queriesOn({ reader, statistics: store.statistics }, { stuckAfterMs: -1 });
		const told = await ask(queries, owner, scanId);
		assert.is(new Set(told).size, 1, `${name}: the scan ended after command ${nth}: ${told}`);
		more = turning.answered() > nth;
		if (turning.answered() < nth) await finish();
	}
}

one("every part of an answer is of the same commit", async () => {
	await endingAnywhere("lifecycle", lifecycle);
	await endingAnywhere("debug", debug);
	await endingAnywhere("export", exported);
});

one.run();
