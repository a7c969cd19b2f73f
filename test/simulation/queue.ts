import type { ScanWorker } from "../../src/queue/scan-queue.ts";
import type { FaultPlan } from "./faults.ts";
import type { Network } from "./redis-client.ts";
import type { Process, World } from "./world.ts";

/**
 * The queue as the program uses BullMQ: a job is the id of a scan, one per id at a time, handed to some worker
 * with room; a job whose worker died is handed out again once its lock is over, a failed one after a pause, and one whose
 * scan is not accepted yet a little later.
 */
export interface SimulatedQueue {
	/** `add` as a producer in this process sees it. */
	add(process: Process, scanId: string): Promise<void>;
	consume(
		process: Process,
		concurrency: number,
		run: (scanId: string) => Promise<unknown>,
	): Pick<ScanWorker, "held" | "limit">;
	/** How many scans wait, as a process that asks is told. */
	length(process: Process): Promise<number>;
}

const LOCK_MS = 10_000;
const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 500;
const UNACCEPTED_RETRY_MS = 100;

/** How a hand-out ended. */
type Outcome = "done" | "failed" | "unaccepted";

interface Job {
	scanId: string;
	waiting: boolean;
	failures: number;
	/** Grows with each hand-out: an answer of an earlier one is void. */
	handedOut: number;
}

interface Consumer {
	process: Process;
	life: number;
	concurrency: number;
	busy: number;
	run: (scanId: string) => Promise<unknown>;
}

export function createSimulatedQueue(
	world: World,
	network: Network,
	plan: () => FaultPlan["queue"],
	note: (kind: string, scanId: string) => void,
): SimulatedQueue {
	const dice = world.dice.fork("queue");
	const jobs = new Map<string, Job>();
	let consumers: Consumer[] = [];

	const pump = (): void => {
		consumers = consumers.filter(({ process, life }) => process.alive && process.life === life);
		for (const job of jobs.values()) {
			if (!job.waiting) continue;
			const free = consumers.filter(({ busy, concurrency }) => busy < concurrency);
			if (free.length === 0) return;
			const twice = dice.chance(plan().twice);
			job.waiting = false;
			job.handedOut += 1;
			handOut(job, dice.pick(free));
			if (twice) note("job_twice", job.scanId);
			if (twice) handOut(job, dice.pick(free));
		}
	};
	function handOut(job: Job, consumer: Consumer): void {
		const turn = job.handedOut;
		consumer.busy += 1;
		const done = (how: Outcome) => {
			consumer.busy -= 1;
			world.after(dice.between(0.1, 2), null, () => settle(job, turn, how));
		};
		const start = () =>
			consumer.run(job.scanId).then(
				(answer) => done(answer === "unaccepted" ? "unaccepted" : "done"),
				() => done("failed"),
			);
		world.after(dice.between(0.1, 3), consumer.process, start);
		watchLock(job, turn, consumer);
	}
	/** A live worker renews its lock; one that is dead or stands still loses the job. */
	function watchLock(job: Job, turn: number, { process, life }: Consumer): void {
		world.after(LOCK_MS, null, () => {
			if (jobs.get(job.scanId) !== job || job.waiting || job.handedOut !== turn) return;
			const live = process.alive && process.life === life && process.frozenUntilMs <= world.now();
			if (live) return watchLock(job, turn, { process, life, concurrency: 0, busy: 0, run: async () => {} });
			job.waiting = true;
			pump();
		});
	}
	function settle(job: Job, turn: number, how: Outcome): void {
		if (jobs.get(job.scanId) === job && job.handedOut === turn) retryOrForget(job, how);
		pump();
	}
	function retryOrForget(job: Job, how: Outcome): void {
		job.failures += how === "failed" ? 1 : 0;
		if (how === "done" || job.failures >= ATTEMPTS_MAX) jobs.delete(job.scanId);
		else again(job, how === "unaccepted" ? UNACCEPTED_RETRY_MS : BACKOFF_MS * 2 ** (job.failures - 1));
	}
	function again(job: Job, delayMs: number): void {
		world.after(delayMs, null, () => {
			job.waiting = true;
			pump();
		});
	}
	function put(scanId: string): void {
		if (jobs.has(scanId)) return;
		if (dice.chance(plan().lost)) {
			note("job_lost", scanId);
			return;
		}
		jobs.set(scanId, { scanId, waiting: true, failures: 0, handedOut: 0 });
		pump();
	}
	return {
		add(process, scanId) {
			const odds = network.odds(process);
			return new Promise((resolve, reject) => {
				const refused = () => reject(new Error("the queue's connection is closed"));
				const answer = (settle: () => void) => world.after(dice.between(0.2, 3), process, settle);
				if (odds === null || dice.chance(odds.error + odds.lost)) return void answer(refused);
				world.after(dice.between(0.1, 1), null, () => put(scanId));
				answer(dice.chance(odds.unanswered) ? refused : resolve);
			});
		},
		consume(process, concurrency, run) {
			const consumer: Consumer = { process, life: process.life, concurrency, busy: 0, run };
			consumers.push(consumer);
			world.after(dice.between(0, 5), process, pump);
			return {
				held: () => consumer.busy,
				limit(most) {
					consumer.concurrency = Math.max(1, most);
					world.after(dice.between(0, 1), process, pump);
				},
			};
		},
		length(process) {
			const odds = network.odds(process);
			return new Promise((resolve, reject) => {
				const told = [...jobs.values()].filter(({ waiting }) => waiting).length;
				const lost = odds === null || dice.chance(odds.error + odds.lost);
				const settle = lost ? () => reject(new Error("the queue's connection is closed")) : () => resolve(told);
				world.after(dice.between(0.2, 3), process, settle);
			});
		},
	};
}
