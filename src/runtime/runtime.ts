import type { ScanEvent } from "../../machines/events.ts";
import type { ScanContext } from "../../machines/types.ts";
import { type LoopTurns, loopTurns } from "../loop-turns.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { ClaimMode, MachineEvent } from "../store/write-contract.ts";
import { type Granted, stateOf, type Taker } from "./claimed.ts";
import { foreignCommit, isContinuable } from "./foreign.ts";
import { KeptRoom } from "./kept-results.ts";
import { buildCommit, nothingPending } from "./scan-commit.ts";
import { step } from "./scan-host.ts";
import { type RunDeps, type RunEnd, ScanRun } from "./scan-run.ts";

/** Why a scan was not run here, or how the run ended. */
export type RunAnswer = RunEnd | "held" | "missing" | "unaccepted" | "busy" | "foreign";

/** A place that is kept for one scan while its start goes on, so that it can be made as claimed by this process. */
export interface Reservation {
	readonly taker: Taker;
	/** How its run ends, once it is booked; `busy` when it was left. */
	readonly answer: Promise<RunAnswer>;
	/** Resolves when the place is free again: the scan has ended or was let go, and may still have to be booked. */
	readonly free: Promise<void>;
	/** @param taken the claim that the scan was made with; null: it has none, and is claimed */
	run(taken: Granted | null): void;
	/** Gives the place back, for a scan that is not run here. */
	leave(): void;
}

export interface Runtime {
	readonly workerId: string;
	/** Claims the scan and runs it to its end or hand-over; joins the run when it is here already. */
	run(scanId: string): Promise<RunAnswer>;
	/**
	 * The same for a scan that no queue delivers: it has lost its worker or its job. Such scans have places of their
	 * own, as many as `capacity`: a queue that is never empty would leave them none.
	 */
	runBeside(scanId: string): Promise<RunAnswer>;
	/** From now on commands for that scan are heard of here. Null: this process has it already, or claims no more. */
	reserve(scanId: string): Reservation | null;
	/** Scans in hand, and those that a place is kept for; not those that have ended and are being booked. */
	active(): number;
	/** Room for more scans? */
	hasRoom(): boolean;
	/** A place left for a scan that has lost its worker? */
	hasRoomBeside(): boolean;
	lookAtInbox(scanId: string): void;
	/** Stops claiming and hands every scan over; resolves when all runs have let go. */
	handOver(): Promise<void>;
}

export interface RuntimeDeps extends Omit<RunDeps, "onEnded" | "keptRoom" | "turns"> {
	workerId: string;
	/** Scans at once that the queue delivers, and as many beside them that it does not. */
	capacity: number;
	nonce: () => string;
	/** Absent: those of this process. */
	turns?: LoopTurns;
	/** Absent: a room of its own. */
	keptRoom?: KeptRoom;
	onEnded(record: ScanRecord): Promise<void>;
}

interface Held {
	promise: Promise<RunAnswer>;
	/** Null until the scan is claimed. */
	run: ScanRun | null;
	/** A command was heard of while the claim was under way, so its reply may not know of it. */
	news: boolean;
	/** Gives its place to the next one; nothing when that is done. */
	free: () => void;
	isFree: Promise<void>;
}

/** Ended scans whose bookings are under way and that hold no place any more, at most so many for each place. */
const BOOKINGS_PER_PLACE = 4;

export function createRuntime(deps: RuntimeDeps): Runtime {
	const runs = new Map<string, Held>();
	/** Of `runs`, those whose places are taken: all, and those of them that no queue delivers. */
	const inHand = { all: 0, beside: 0 };
	let closing = false;
	const runDeps: RunDeps = {
		...deps,
		keptRoom: deps.keptRoom ?? new KeptRoom(),
		turns: deps.turns ?? loopTurns,
		onEnded(scanId, record) {
			// Booking waits for the bookings of others; the next scan need not, unless they have become too many.
			if (runs.size - inHand.all < BOOKINGS_PER_PLACE * deps.capacity) runs.get(scanId)?.free();
			return bookEnd(deps, scanId, record);
		},
	};

	/** A place that is taken from now on. */
	function takePlace(beside: boolean): Pick<Held, "free" | "isFree"> {
		const count = (by: 1 | -1): void => {
			inHand.all += by;
			if (beside) inHand.beside += by;
		};
		count(1);
		let isTaken = true;
		let tell: () => void = () => {};
		const isFree = new Promise<void>((resolve) => {
			tell = resolve;
		});
		const free = (): void => {
			if (isTaken) count(-1);
			isTaken = false;
			tell();
		};
		return { free, isFree };
	}

	function carry(claim: Granted, hold: (run: ScanRun) => void): Promise<RunEnd> {
		const run = new ScanRun(runDeps, claim);
		hold(run);
		if (closing) run.handOver();
		return run.run();
	}

	async function claimAndRun(scanId: string, hold: (run: ScanRun) => void): Promise<RunAnswer> {
		const claim = await deps.writer.claim(scanId, deps.workerId, deps.nonce(), deps.settings.lease_ms, "normal");
		if (claim.kind === "foreign") {
			// I13: another version's scan is left exactly as it is, for a worker of that version or its deadline.
			deps.log.warn({ scan_id: scanId }, "a scan of another machine version is left alone");
		}
		if (claim.kind === "ended") {
			await bookEnd(deps, scanId);
			return "ended";
		}
		if (claim.kind !== "granted") return claim.kind;
		if (claim.record.damaged) return await endDamaged(deps, claim.record);
		return await carry(claim, hold);
	}

	function enter(scanId: string, beside: boolean, work: (hold: (run: ScanRun) => void) => Promise<RunAnswer>): Held {
		const entry: Held = { promise: Promise.resolve("busy"), run: null, news: false, ...takePlace(beside) };
		runs.set(scanId, entry);
		entry.promise = work((run) => {
			entry.run = run;
			if (entry.news) run.lookAtInbox();
		}).finally(() => {
			runs.delete(scanId);
			entry.free();
			// A map that grows leaves its old table behind with all that lay in it then, and the table leads to the next one:
			// once one is old, the collector takes every later run for alive until it looks at old objects too.
			entry.run = null;
		});
		return entry;
	}

	function take(scanId: string, beside: boolean): Promise<RunAnswer> {
		const held = runs.get(scanId);
		if (held) return held.promise;
		if (closing) return Promise.resolve("busy");
		return enter(scanId, beside, (hold) => claimAndRun(scanId, hold)).promise;
	}

	function reserve(scanId: string): Reservation | null {
		if (closing || runs.has(scanId)) return null;
		let decide: (taken: Granted | null | "left") => void = () => {};
		const decided = new Promise<Granted | null | "left">((resolve) => {
			decide = resolve;
		});
		const { promise: answer, isFree } = enter(scanId, false, async (hold) => {
			const taken = await decided;
			if (taken === "left") return "busy";
			return taken ? await carry(taken, hold) : await claimAndRun(scanId, hold);
		});
		const { workerId: worker_id, effects, settings } = deps;
		const { lease_ms } = settings;
		const taker: Taker = { worker_id, nonce: deps.nonce(), lease_ms, portfolioAtOnce: effects.portfolioAtOnce };
		return { taker, answer, free: isFree, run: decide, leave: () => decide("left") };
	}

	return {
		workerId: deps.workerId,
		run: (scanId) => take(scanId, false),
		runBeside: (scanId) => take(scanId, true),
		reserve,
		active: () => inHand.all,
		hasRoom: () => !closing && inHand.all < deps.capacity,
		hasRoomBeside: () => !closing && inHand.beside < deps.capacity,
		lookAtInbox(scanId) {
			const held = runs.get(scanId);
			if (held?.run) held.run.lookAtInbox();
			else if (held) held.news = true;
		},
		async handOver() {
			closing = true;
			for (const { run } of runs.values()) run?.handOver();
			await Promise.allSettled([...runs.values()].map(({ promise }) => promise));
		},
	};
}

/** A poisoned snapshot would break every worker that takes it: the first one ends the scan beside it. */
async function endDamaged(deps: RuntimeDeps, record: ScanRecord): Promise<RunAnswer> {
	const { scan_id, damaged } = record;
	deps.log.error({ scan_id, damaged }, "the stored state of a scan cannot be read; the scan is ended beside it");
	const ended = await commitOne(deps, record, (_, at_ms) => ({
		type: "scan.abandoned",
		at_ms,
		code: "internal_error",
		message: "The stored state of the scan cannot be read",
	}));
	if (ended) await bookEnd(deps, scan_id);
	return ended ? "ended" : "fenced";
}

/** Books an ended scan; what fails here is done again by the sweeper, so it only leaves a line in the log. */
async function bookEnd(deps: RuntimeDeps, scanId: string, ended: ScanRecord | null = null): Promise<void> {
	try {
		const record = ended ?? (await deps.reader.read(scanId));
		if (record?.terminal) await deps.onEnded(record);
	} catch (error) {
		deps.log.warn({ scan_id: scanId, err: error }, "scan not booked yet");
	}
}

export type ApplyDeps = Pick<RuntimeDeps, "writer" | "projections" | "nonce" | "settings" | "workerId">;

/**
 * Applies one terminal event to a scan that nobody answers for: claim, one transition, one commit, no
 * effects. Any process may do it, whatever its role; a holder that wakes up late is fenced.
 * Null: the claim was refused or the commit was fenced, so somebody else has decided.
 */
export async function applyOne(
	deps: ApplyDeps,
	scanId: string,
	mode: ClaimMode,
	eventFor: (context: ScanContext, nowMs: number) => ScanEvent,
): Promise<"ended" | "refused" | "missing"> {
	const claim = await deps.writer.claim(scanId, `apply:${deps.workerId}`, deps.nonce(), deps.settings.lease_ms, mode);
	if (claim.kind === "ended") return "ended";
	if (claim.kind === "missing") return "missing";
	if (claim.kind !== "granted") return "refused";
	try {
		if (await commitOne(deps, claim.record, eventFor)) return "ended";
	} catch (error) {
		await giveBack(deps, claim.record);
		throw error;
	}
	await giveBack(deps, claim.record);
	return "refused";
}

/** One transition and its commit. True: the scan has ended by it. */
async function commitOne(
	deps: Pick<ApplyDeps, "writer" | "projections" | "settings">,
	record: ScanRecord,
	eventFor: (context: ScanContext, nowMs: number) => ScanEvent,
): Promise<boolean> {
	const nowMs = deps.writer.now();
	const event = eventFor(record.context, nowMs);
	if (!isContinuable(record)) {
		const ended = await deps.writer.commit(foreignCommit(record, event, nowMs, deps.settings.lease_ms));
		return ended === "ok" || ended === "duplicate";
	}
	const before = stateOf(record);
	const next = step(before, event);
	if (!next) return false;
	const pending = { ...nothingPending(record), entries: next.entries, events: [event as MachineEvent] };
	const { scan_id, epoch, revision: base_seq } = record;
	const envelope = { scan_id, epoch, base_seq, lease_ms: deps.settings.lease_ms };
	const result = await deps.writer.commit(buildCommit(envelope, before, next.state, pending, deps.projections));
	return (result === "ok" || result === "duplicate") && next.state.ended;
}

/** Nobody runs effects under this claim, so whoever comes next need not wait for its lease. */
const giveBack = (deps: ApplyDeps, { scan_id, epoch }: ScanRecord): Promise<void> =>
	deps.writer.release(scan_id, epoch).catch(() => undefined);
