import type { ScanEvent } from "../../machines/events.ts";
import { wantedEffects } from "../../machines/stall.ts";
import type { Clock } from "../clock.ts";
import type { Effects } from "../effects/contract.ts";
import type { LoopTurns } from "../loop-turns.ts";
import type { ScanReader, ScanRecord } from "../store/contract.ts";
import { shortener } from "../store/journal-ids.ts";
import type { Commit, CommitMoment, CommitResult, ScanWriter } from "../store/write-contract.ts";
import { rankedAtOnce } from "./at-once.ts";
import { bundle } from "./bundle.ts";
import { endedRecord, firstEvent, type Granted, stateOf } from "./claimed.ts";
import { createEffectRunner, type EffectRunner, type Outcome } from "./effect-runner.ts";
import { KeptResults, type KeptRoom } from "./kept-results.ts";
import { holdLease, type Lease } from "./lease.ts";
import { untilAnswered } from "./persistent.ts";
import { Pulse } from "./pulse.ts";
import { stepOrAbandon } from "./safe-step.ts";
import {
	buildCommit,
	isOversized,
	nothingPending,
	oversized,
	type Pending,
	type Projections,
	stateBytes,
} from "./scan-commit.ts";
import { type HostState, nextDeadlineMs, takeDue } from "./scan-host.ts";

export interface RunLog {
	info(facts: object, message: string): void;
	warn(facts: object, message: string): void;
	error(facts: object, message: string): void;
}

export interface RunDeps {
	writer: ScanWriter;
	reader: ScanReader;
	effects: Effects;
	projections: Projections;
	clock: Clock;
	turns: LoopTurns;
	log: RunLog;
	settings: { lease_ms: number; heartbeat_ms: number };
	keptRoom: KeptRoom;
	/** Books an ended scan; failures are repaired by the sweeper. @param record null: it has to be read */
	onEnded(scanId: string, record: ScanRecord | null): Promise<void>;
}

/** How a run came to its end; only `ended` means that the scan did. */
export type RunEnd = "ended" | "released" | "fenced" | "given_up";

/** Past the scan's deadline by this much nobody waits for a store that does not answer. */
const COMMIT_GRACE_MS = 5_000;
const INBOX_TYPES: ReadonlySet<string> = new Set(["scan.cancel_requested"]);

/**
 * One scan in the hands of this process: events in, one fenced commit, then effects. The order
 * "transition, commit, act" is the whole point: nothing is started or shown that is not durable.
 */
export class ScanRun {
	readonly scanId: string;
	private readonly deps: RunDeps;
	private readonly claim: Granted;
	private readonly epoch: number;
	private state: HostState;
	private committed: HostState;
	private seq: number;
	private pending: Pending;
	private inboxSeen: string;
	private ended: ScanRecord | null = null;
	private mailbox: Outcome[] = [];
	private readonly kept: KeptResults;
	private wake: (() => void) | null = null;
	private end: RunEnd | null = null;
	/** The first turn of a scan that was made as claimed: it has no event, and nothing that it could wait for. */
	private isBegun: boolean;
	private handingOver = false;
	private inboxNews: boolean;
	private timer: unknown = null;
	private readonly runner: EffectRunner;
	private readonly pulse: Pulse;
	private abandon: () => void = () => {};
	private readonly lease: Lease;
	private readonly recorded = shortener();

	constructor(deps: RunDeps, claim: Granted) {
		const { record } = claim;
		this.deps = deps;
		this.claim = claim;
		this.scanId = record.scan_id;
		this.epoch = record.epoch;
		this.kept = new KeptResults(deps.keptRoom);
		this.pulse = new Pulse(deps.settings.heartbeat_ms);
		this.seq = record.revision;
		this.inboxSeen = claim.inbox_after;
		this.inboxNews = claim.inbox_newest !== claim.inbox_after;
		this.pending = nothingPending(record, claim.begun !== undefined);
		this.committed = this.state = stateOf(record);
		this.runner = createEffectRunner({
			effects: deps.effects,
			reader: deps.reader,
			kept: this.kept,
			clock: deps.clock,
			now: () => deps.writer.now(),
			scan: () => this.state.context,
			post: (outcome) => this.post(outcome),
			onError: (effect, error, failure) =>
				deps.log.warn({ scan_id: this.scanId, effect: effect.key, failure, err: error }, "effect failed"),
		});
		const inbox = (newest: string) => newest !== this.inboxSeen && this.lookAtInbox();
		const [lost, accepts] = [this.leaseLost.bind(this), () => this.pending.accepts];
		this.lease = holdLease(deps, claim, { lost, turns: () => !this.pulse.hangs(), accepts, inbox });
		this.isBegun = claim.begun !== undefined;
		if (claim.begun) this.kept.note(claim.begun.results, new Map());
		else this.post({ kind: "event", event: firstEvent(claim, deps.writer.now()), attachments: {} });
	}

	/** Runs until the scan ends, is handed over, or somebody else holds it. Never throws. */
	async run(): Promise<RunEnd> {
		this.lease.start();
		try {
			await Promise.race([this.loop(), new Promise<void>((resolve) => (this.abandon = resolve))]);
		} catch (error) {
			this.deps.log.error({ scan_id: this.scanId, err: error }, "scan run broke");
			this.end = "given_up";
		} finally {
			this.stop();
		}
		const end = this.end ?? "given_up";
		if (end === "ended") await this.deps.onEnded(this.scanId, this.ended);
		if (end === "given_up" || end === "released") await this.giveBack();
		return end;
	}

	private async loop(): Promise<void> {
		while (this.end === null) {
			this.pulse.rest();
			if (!this.isBegun) await this.mail();
			this.isBegun = false;
			this.pulse.step();
			await this.turn();
		}
	}

	/** Ends the run after the commit in hand and releases the lease, so that another worker goes on at once. */
	handOver(): void {
		this.handingOver = true;
		this.wake?.();
	}

	/** A command may lie in the inbox. */
	lookAtInbox(): void {
		this.inboxNews = true;
		this.wake?.();
	}

	/** From here on the scan is, or may be, somebody else's: nothing of it may go on here. */
	private leaseLost(end: "fenced" | "given_up"): void {
		this.end ??= end;
		this.runner.stop();
		// A turn that hangs, or waits for a store that does not answer, is not waited for.
		if (end === "given_up") this.abandon();
		this.wake?.();
	}

	private post(outcome: Outcome): void {
		this.mailbox.push(outcome);
		this.wake?.();
	}

	/** Resolves when there is something to do; then lets the event loop turn once, so that one commit takes all. */
	private async mail(): Promise<void> {
		const hasWork = this.mailbox.length > 0 || this.inboxNews || this.handingOver || this.isDue();
		if (!hasWork) {
			await new Promise<void>((resolve) => {
				this.wake = resolve;
				this.arm();
			});
			this.wake = null;
			this.deps.clock.clearTimeout(this.timer);
		}
		await this.deps.turns.next();
	}

	private isDue(): boolean {
		return (nextDeadlineMs(this.state) ?? Number.POSITIVE_INFINITY) <= this.deps.writer.now();
	}

	private arm(): void {
		const next = nextDeadlineMs(this.state);
		if (next === null) return;
		this.timer = this.deps.clock.setTimeout(() => this.wake?.(), Math.max(0, next - this.deps.writer.now()));
	}

	private async turn(): Promise<void> {
		if (this.end !== null) return;
		await this.takeInbox();
		this.pulse.step();
		for (const event of bundle(this.mailbox.splice(0), this.pending)) this.apply(event);
		const takeNext = () => takeDue(this.state, this.deps.writer.now());
		for (let due = takeNext(); due; due = takeNext()) {
			this.state = due.state;
			this.apply(due.event);
		}
		for (const event of rankedAtOnce(this.deps, this.committed, this.state, this.pending, this.kept)) this.apply(event);
		if (this.pending.entries.length > 0) await this.commit();
		if (this.end !== null) return;
		if (this.handingOver) {
			this.end = "released";
			return;
		}
		this.runner.reconcile(wantedEffects(this.state.position, this.state.context));
	}

	private apply(event: ScanEvent): void {
		const next = stepOrAbandon(this.state, event, this.scanId, this.deps);
		if (!next) return;
		this.state = next.state;
		this.pending.entries.push(...next.entries);
		this.pending.events.push(this.recorded(next.event));
	}

	private async takeInbox(): Promise<void> {
		if (!this.inboxNews) return;
		this.inboxNews = false;
		// Not answered: the next heartbeat that is answered shows again that something waits.
		const news = await this.deps.writer.inbox(this.scanId, this.inboxSeen).catch(() => []);
		for (const { id, event } of news) {
			this.inboxSeen = id;
			this.pending.inbox = id;
			if (!INBOX_TYPES.has(event.type)) continue;
			const taken = { ...event, at_ms: this.deps.writer.now() } as ScanEvent;
			this.mailbox.push({ kind: "event", event: taken, attachments: {} });
		}
	}

	private build(): Commit {
		const { scanId: scan_id, epoch, seq: base_seq } = this;
		const envelope = { scan_id, epoch, base_seq, lease_ms: this.deps.settings.lease_ms };
		return buildCommit(envelope, this.committed, this.state, this.pending, this.deps.projections);
	}

	private async commit(): Promise<void> {
		let commit = this.build();
		if (isOversized(commit, this.state)) commit = this.endOversized(stateBytes(commit));
		const { log, writer } = this.deps;
		let moment: CommitMoment | null = null;
		// A commit that is accepted renews the lease too, from the moment it was sent.
		const send = async (): Promise<CommitResult> => {
			const sentAtMs = writer.now();
			const answer = await writer.commit(commit, (told) => {
				moment = told;
			});
			if (answer === "ok") this.lease.renewed(sentAtMs);
			return answer;
		};
		const result = await untilAnswered(send, this.deps, {
			scan_id: this.scanId,
			giveUpAtMs: this.state.context.input.deadline_at_ms + COMMIT_GRACE_MS,
			wanted: () => this.end === null,
			onTry: () => this.pulse.step(),
		});
		if (result !== "ok" && result !== "duplicate") {
			log.warn({ scan_id: this.scanId, epoch: this.epoch, seq: this.seq, result }, "commit refused");
			this.end = result === null ? "given_up" : "fenced";
			return;
		}
		this.seq += commit.entries.length;
		this.committed = this.state;
		const { rows } = this.pending;
		this.pending = nothingPending();
		if (!this.state.ended) return this.kept.note(commit.results, rows);
		this.end = "ended";
		const last = commit.entries.at(-1);
		if (last) this.ended = endedRecord(this.claim, this.state, this.seq, moment, last.type);
	}

	/** What would not fit is dropped with the turn that led to it; what was committed before stays. */
	private endOversized(bytes: number): Commit {
		this.deps.log.error({ scan_id: this.scanId, bytes }, "the state of a scan is too large; the scan is ended");
		const { upgrade, accepts, inbox } = this.pending;
		this.pending = { ...nothingPending(), upgrade, accepts, inbox };
		this.state = this.committed;
		this.apply(oversized(bytes, this.deps.writer.now()));
		return this.build();
	}

	private stop(): void {
		this.lease.stop();
		this.runner.stop();
		this.kept.clear();
		this.deps.clock.clearTimeout(this.timer);
	}

	private async giveBack(): Promise<void> {
		await this.deps.writer.release(this.scanId, this.epoch).catch((error: unknown) => {
			this.deps.log.warn({ scan_id: this.scanId, err: error }, "lease not released; it runs out by itself");
		});
	}
}
