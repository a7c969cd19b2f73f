import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { openWorkerPool, type WorkerPool } from "../worker-pool.ts";
import { createAffinity } from "./affinity.ts";
import type { Evaluation, EvaluationRequest } from "./contract.ts";
import { type CrossingRequest, crossing } from "./crossing.ts";

export interface EvaluationPoolOptions {
	/** Worker threads; default max(2, min(4, cores - 1)): a strategy caught in a loop must not stop the others. */
	threads?: number;
	/** Evaluations that may wait; more are refused. Default 512. */
	queueMax?: number;
	/** An idle thread above the first is ended after this time, ms, with all that it knows. Default IDLE_MS. */
	idleTimeoutMs?: number;
	/** One evaluation may compute this long, ms; then its thread is ended. Default EVALUATION_LIMIT_MS. */
	evaluationLimitMs?: number;
	/** Arms that limit and PATIENCE_MS; returns what disarms it. Default: the process's own timers. */
	arm?: (callback: () => void, delayMs: number) => () => void;
	/** Module of the threads, a file URL. Default: the one beside this file. */
	workerFile?: string;
	/** Told when a thread cannot start or breaks while it evaluates nothing; the next evaluation starts another. */
	onBroken?: (error: unknown) => void;
}

/**
 * Far above what any strategy computes (seconds on a busy machine) and well below a strategy's time limit:
 * one that loops must give its thread back while there is time left for the others.
 */
export const EVALUATION_LIMIT_MS = 30_000;

/** Longer than most users leave between two scans: the next one finds the evidence of this one. */
export const IDLE_MS = 900_000;

/** More than what a thread computes that knows its strategy, less than what one computes that does not. */
export const PATIENCE_MS = 250;

/** Refused or stopped evaluations; `retryable` says whether again may help. */
export class EvaluationPoolError extends Error {
	/** evaluation_timeout: it computed for too long, which a pure function would do again; no_thread: none could start. */
	readonly code: "overloaded" | "closed" | "evaluation_timeout" | "no_thread";
	readonly retryable: boolean;
	constructor(code: EvaluationPoolError["code"], message: string) {
		super(message);
		this.name = "EvaluationPoolError";
		this.code = code;
		this.retryable = code !== "evaluation_timeout";
	}
}

export interface EvaluationPool {
	readonly threads: number;
	/** Evaluations waiting for a thread. */
	waiting(): number;
	/**
	 * Evaluates in a worker thread, that which evaluated the strategy last if it is free in time; series travel as shared
	 * memory. Rejects with the signal's reason when aborted (the thread is ended, the only way to stop a loop), with
	 * EvaluationPoolError when the queue is full, the pool closed or the evaluation too long, and with the strategy's own
	 * error.
	 */
	evaluate(request: EvaluationRequest, signal: AbortSignal): Promise<Evaluation>;
	/** Ends all threads; what still waits or runs is rejected with code closed. Idempotent. */
	close(): Promise<void>;
}

/** The worker beside this file: .ts under a loader, .js when built. */
const workerFile = new URL(`./evaluation-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url).href;

const positive = (name: string, value: number): number => {
	if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer, got ${value}`);
	return value;
};

const armTimer = (callback: () => void, delayMs: number): (() => void) => {
	const timer = setTimeout(callback, delayMs);
	return () => clearTimeout(timer);
};

/** Threads for strategies' CPU work, so that the event loop stays free. Throws RangeError for bad options. */
export function createEvaluationPool(options: EvaluationPoolOptions = {}): EvaluationPool {
	const threads = positive("threads", options.threads ?? Math.max(2, Math.min(4, availableParallelism() - 1)));
	const queueMax = positive("queueMax", options.queueMax ?? 512);
	const limitMs = positive("evaluationLimitMs", options.evaluationLimitMs ?? EVALUATION_LIMIT_MS);
	const arm = options.arm ?? armTimer;
	const affinity = createAffinity({
		threads,
		waitingMax: queueMax,
		patienceMs: PATIENCE_MS,
		arm,
		full: () => new EvaluationPoolError("overloaded", `${queueMax} evaluations are waiting`),
	});
	const idleTimeout = positive("idleTimeoutMs", options.idleTimeoutMs ?? IDLE_MS);
	const noThread = () => new EvaluationPoolError("no_thread", "no thread could be started");
	const pools = Array.from({ length: threads }, (_, thread) =>
		openWorkerPool<CrossingRequest, Evaluation>(
			{ filename: options.workerFile ?? workerFile, minThreads: thread === 0 ? 1 : 0, idleTimeout },
			noThread,
			{
				// Idle for too long, stopped by its limit or its scan, or crashed.
				ended: () => affinity.forget(thread),
				...(options.onBroken && { broken: options.onBroken }),
			},
		),
	);
	let closing: Promise<void> | null = null;
	const poolOf = (thread: number) => pools[thread] as WorkerPool<CrossingRequest, Evaluation>;
	const closed = () => new EvaluationPoolError("closed", "the evaluation pool is closed");

	/** In a thread of its own from the first moment, so the limit counts computing and never waiting. */
	async function compute(thread: number, request: EvaluationRequest, signal: AbortSignal): Promise<Evaluation> {
		const limit = new AbortController();
		const disarm = arm(() => limit.abort(), limitMs);
		try {
			return await poolOf(thread).run(crossing(request), AbortSignal.any([signal, limit.signal]));
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			if (closing) throw closed();
			if (limit.signal.aborted) {
				const message = `${request.strategy_id} computed for more than ${limitMs} ms`;
				throw new EvaluationPoolError("evaluation_timeout", message);
			}
			throw error;
		} finally {
			disarm();
		}
	}

	return {
		threads,
		waiting: affinity.waiting,
		async evaluate(request, signal) {
			if (closing) throw closed();
			signal.throwIfAborted();
			const thread = await affinity.enter(request.strategy_id, signal);
			try {
				if (closing) throw closed();
				return await compute(thread, request, signal);
			} finally {
				affinity.leave(thread);
			}
		},
		close() {
			closing ??= Promise.all(pools.map((pool) => pool.destroy())).then(() => undefined);
			affinity.refuse(closed());
			return closing;
		},
	};
}
