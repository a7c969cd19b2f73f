import type { StrategyEntry } from "../../machines/types.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { wholeInput } from "../../src/store/input-codec.ts";
import { entriesOf } from "../../src/store/journal-codec.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { decodeRecord } from "../../src/store/scan-codec.ts";
import { SETTLED, settledEntries } from "../../src/store/strategy-codec.ts";
import type { Keyspace } from "./keyspace.ts";
import { outcomeOf } from "./outcome.ts";
import type { Process } from "./world.ts";

/**
 * Watches every write to a scan at the server, beside and independently of the scripts that do it: what the
 * hash said before and after, and which process in which life sent it.
 */
export interface Violation {
	invariant: string;
	text: string;
}

interface Facts {
	epoch: number;
	seq: number;
	ended: boolean;
	position: string;
	leaseMs: number;
	released: boolean;
	accepted: boolean;
	nonce: string;
	worker: string;
}

export interface ScanShadow {
	scanId: string;
	facts: Facts;
	owner: string;
	filterKey: string;
	acceptedAtMs: number;
	deadlineAtMs: number;
	/** Store time of the commit that ended it. */
	endedAtMs: number | null;
	/** `<process>.<life>` by epoch. */
	holders: Map<number, string>;
	verdicts: Map<string, string>;
	dropped: boolean;
	/** Claims that found the lease of a holder who had not let go. */
	resumes: number;
	/** What the store held when it ended; its retention may end before the run does. */
	final: FinalState | null;
}

export interface FinalState {
	record: ScanRecord;
	/** What it found (outcome.ts), as JSON. */
	outcome: string;
}

/** What the hash says of each strategy, as JSON: its own field, or that of all that were settled together, if later. */
function storedEntries(hash: ReadonlyMap<string, string>): Iterable<string> {
	const told = new Map<number, string>();
	for (let k = 0; hash.has(`s:${k}`); k++) told.set(k, hash.get(`s:${k}`) as string);
	for (const [name, text] of hash) {
		if (!name.startsWith(SETTLED)) continue;
		for (const [place, entry] of settledEntries(JSON.parse(text))) {
			if (!told.get(place)?.includes('"verdict"')) told.set(place, JSON.stringify(entry));
		}
	}
	return told.values();
}

const factsOf = (hash: ReadonlyMap<string, string>): Facts => ({
	epoch: Number(hash.get("epoch")),
	seq: Number(hash.get("seq")),
	ended: hash.get("end") === "1",
	position: hash.get("position") ?? "",
	leaseMs: Number(hash.get("lease") ?? 0),
	released: hash.get("released") === "1",
	accepted: hash.get("accepted") === "1",
	nonce: hash.get("nonce") ?? "",
	worker: hash.get("worker") ?? "",
});

export const lifeOf = (process: Process, life = process.life): string => `${process.name}.${life}`;

export interface Shadows {
	scans: ReadonlyMap<string, ScanShadow>;
	/** To be called after each command with the keys that it wrote. */
	afterCommand(dirty: ReadonlySet<string>, by: string, script: string | null, args: readonly string[]): void;
	/** The committed entry of a strategy, as of now. */
	entry(scanId: string, strategyId: string): StrategyEntry | null;
}

const SCAN_KEY = /^scan:\{(.+)\}$/;

export function createShadows(
	keyspace: Keyspace,
	nowMs: () => number,
	violate: (invariant: string, text: string) => void,
	onEnd: (shadow: ScanShadow) => void,
): Shadows {
	const scans = new Map<string, ScanShadow>();

	function appeared(scanId: string, hash: ReadonlyMap<string, string>, by: string): void {
		const input = wholeInput(hash.get("input") ?? "{}") as { filter_key?: string };
		const facts = factsOf(hash);
		scans.set(scanId, {
			scanId,
			facts,
			owner: hash.get("owner") ?? "",
			filterKey: input.filter_key ?? "",
			acceptedAtMs: Number(hash.get("accepted_at")),
			deadlineAtMs: Number(hash.get("deadline_at")),
			endedAtMs: null,
			// One that is run where it is started is made as claimed.
			holders: new Map(facts.epoch === 1 ? [[1, by]] : []),
			verdicts: new Map(),
			dropped: false,
			resumes: 0,
			final: null,
		});
		const entries = keyspace.execute("XRANGE", [scanKeys(scanId).journal, "-", "+"]) as [string, string[]][];
		const seqs = entries.flatMap(entriesOf).map(({ seq }) => seq);
		const isNew = facts.epoch === 0 && facts.seq === 1 && facts.worker === "";
		const isTaken = facts.epoch === 1 && facts.leaseMs > nowMs() && facts.worker === by;
		if (!isNew && !isTaken) violate("I2", `${scanId} began with ${JSON.stringify(facts)} by ${by}`);
		if (seqs.join() !== Array.from({ length: facts.seq }, (_, i) => i + 1).join())
			violate("I2", `${scanId} began at seq ${facts.seq}, the journal got ${seqs.join()}`);
	}

	function compare(shadow: ScanShadow, hash: ReadonlyMap<string, string>, by: string, script: string | null): Facts {
		const before = shadow.facts;
		const after = factsOf(hash);
		const { scanId } = shadow;
		if (after.epoch !== before.epoch) {
			if (after.epoch !== before.epoch + 1)
				violate("I2", `${scanId}: epoch ${before.epoch} -> ${after.epoch} by ${by}`);
			const forced = after.worker.startsWith("apply:");
			if (before.leaseMs > nowMs() && !forced)
				violate("I2", `${scanId}: ${by} claimed a scan whose lease ran until ${before.leaseMs - nowMs()} ms from now`);
			shadow.holders.set(after.epoch, by);
			if (before.worker !== "" && !before.released) shadow.resumes += 1;
		}
		if (after.seq < before.seq) violate("I4", `${scanId}: seq ${before.seq} -> ${after.seq} by ${by}`);
		if (before.ended && (!after.ended || after.seq !== before.seq || after.position !== before.position))
			violate("I5", `${scanId}: ended as ${before.position} at ${before.seq}, then ${after.position} at ${after.seq}`);
		if (after.seq !== before.seq && script !== "COMMIT") violate("I2", `${scanId}: ${script} moved the seq`);
		if (before.accepted && !after.accepted) violate("I1", `${scanId}: no longer accepted`);
		return after;
	}

	function committed(shadow: ScanShadow, after: Facts, by: string, args: readonly string[]): void {
		const before = shadow.facts;
		const { scanId } = shadow;
		const epoch = Number(args[0]);
		if (epoch !== before.epoch) violate("I2", `${scanId}: a commit of epoch ${epoch} changed epoch ${before.epoch}`);
		const holder = shadow.holders.get(epoch);
		if (holder !== by) violate("I2", `${scanId}: ${by} committed in epoch ${epoch}, which ${holder} holds`);
		const elements = keyspace.execute("XRANGE", [scanKeys(scanId).journal, `${before.seq + 1}-0`, "+"]);
		const added = (elements as [string, string[]][]).flatMap(entriesOf).map(({ seq }) => seq);
		const expected = Array.from({ length: after.seq - before.seq }, (_, i) => before.seq + i + 1);
		if (added.join() !== expected.join())
			violate("I2", `${scanId}: seq ${before.seq} -> ${after.seq}, the journal got ${added.join()}`);
		if (after.ended && !["completed", "failed", "cancelled"].includes(after.position))
			violate("I5", `${scanId}: ended in ${after.position}`);
	}

	function verdicts(shadow: ScanShadow, hash: ReadonlyMap<string, string>): void {
		for (const text of storedEntries(hash)) {
			const { strategy_id, verdict = null } = JSON.parse(text) as Partial<StrategyEntry> & { strategy_id: string };
			const held = shadow.verdicts.get(strategy_id);
			if (held !== undefined && held !== text)
				violate("I6", `${shadow.scanId}: ${strategy_id} was settled and changed: ${held} -> ${text}`);
			if (verdict !== null) shadow.verdicts.set(strategy_id, text);
		}
	}

	return {
		scans,
		afterCommand(dirty, by, script, args) {
			for (const key of dirty) {
				const scanId = SCAN_KEY.exec(key)?.[1];
				if (!scanId) continue;
				const hash = keyspace.hash(key);
				const shadow = scans.get(scanId);
				if (!hash) {
					if (shadow?.facts.accepted && !shadow.dropped && script !== null)
						violate("I1", `${scanId}: ${script} of ${by} removed an accepted record`);
					if (shadow) shadow.dropped = true;
					continue;
				}
				// An id whose record was dropped before it was accepted may be used again, with times of its own.
				if (!shadow || (shadow.dropped && !shadow.facts.accepted)) {
					appeared(scanId, hash, by);
					continue;
				}
				const after = compare(shadow, hash, by, script);
				if (after.seq !== shadow.facts.seq) {
					committed(shadow, after, by, args);
					verdicts(shadow, hash);
				}
				const ends = after.ended && !shadow.facts.ended;
				shadow.facts = after;
				if (ends) {
					shadow.endedAtMs = nowMs();
					shadow.final = {
						record: decodeRecord(scanId, Object.fromEntries(hash)),
						outcome: JSON.stringify(outcomeOf(keyspace, scanId)),
					};
					onEnd(shadow);
				}
			}
		},
		entry(scanId, strategyId) {
			const hash = keyspace.hash(scanKeys(scanId).scan);
			if (!hash) return null;
			const { context } = decodeRecord(scanId, Object.fromEntries(hash));
			return context.strategies.find((entry) => entry.strategy_id === strategyId) ?? null;
		},
	};
}
