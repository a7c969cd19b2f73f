import type { Viewer } from "../../src/store/contract.ts";
import { globalKeys, scanKeys } from "../../src/store/keys.ts";
import type { NewEntry } from "../../src/store/write-contract.ts";
import type { Shape } from "./shape.ts";
import { newUser, type Stage } from "./stage.ts";

const DAY_MS = 86_400_000;
/** More than this process's idea of the server's time is ever wrong: a lease that is over here must be so there. */
const CLOCKS_DIFFER_MS = 1_000;

/** A scan in the hands of a worker that does nothing by itself. */
export interface HeldScan {
	user: Viewer;
	scanId: string;
	/** Number of its newest entry. */
	seq: number;
	/** Commits one small entry, which ends nothing. */
	commit(): Promise<void>;
	/** Its lease runs out, as if the worker had been killed one lease ago. */
	lose(): Promise<void>;
}

/** @param shape of its strategies, should it be run after all. */
export async function holdScan(stage: Stage, user: Viewer, shape: Shape): Promise<HeldScan> {
	const { writer } = stage.store;
	const scanId = await stage.start(user, shape);
	const claim = await writer.claim(scanId, "worker-bench", scanId, DAY_MS, "normal");
	if (claim.kind !== "granted") throw new Error(`a scan of the bench is ${claim.kind}`);
	const { epoch, revision } = claim.record;
	const held: HeldScan = {
		user,
		scanId,
		seq: revision,
		async commit() {
			const entry: NewEntry = {
				type: "strategy.started",
				phase: "strategies_scan",
				strategy_id: "made_up_strategy_0",
				attempt: 1,
				at_ms: Math.floor(writer.now()),
				payload: { strategy_id: "made_up_strategy_0", attempt: 1 },
			};
			const nothing = { scan: {}, lifecycle: {}, debug: {}, results: new Map(), events: [] };
			const envelope = { scan_id: scanId, epoch, base_seq: held.seq, lease_ms: DAY_MS };
			// Whoever hears of it may ask how far the scan is before the answer is here.
			held.seq += 1;
			const answer = await writer.commit({ ...envelope, ...nothing, entries: [entry], ended: false });
			if (answer !== "ok") throw new Error(`a commit of the bench is ${answer}`);
		},
		async lose() {
			const overMs = Math.floor(writer.now()) - CLOCKS_DIFFER_MS;
			const lost = stage.client.pipeline();
			lost.hset(scanKeys(scanId).scan, "lease", overMs);
			lost.zadd(globalKeys.leases, overMs, scanId);
			await lost.exec();
		},
	};
	return held;
}

export const holdScans = async (stage: Stage, count: number, shape: Shape): Promise<HeldScan[]> => {
	const held: HeldScan[] = [];
	for (let n = 0; n < count; n++) held.push(await holdScan(stage, newUser(), shape));
	return held;
};
