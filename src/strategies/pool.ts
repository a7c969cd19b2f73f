import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Piscina } from "piscina";
import type { Evaluation, EvaluationRequest } from "./contract.ts";
import { type CrossingRequest, crossing } from "./crossing.ts";

export interface EvaluationPoolOptions {
	/** Worker threads; default max(2, min(4, cores - 1)): a strategy caught in a loop must not stop the others. */
	threads?: number;
	/** Evaluations that may wait; more are refused. Default 512. */
	queueMax?: number;
	/** An idle thread above the first is ended after this time, ms. Default 60000. */
	idleTimeoutMs?: number;
}

/** Refused or stopped evaluations; `retryable` says whether again may help. */
export class EvaluationPoolError extends Error {
	readonly code: "overloaded" | "closed";
	readonly retryable = true;
	constructor(code: EvaluationPoolError["code"], message: string) {
		super(message);
		this.name = "EvaluationPoolError";
		this.code = code;
	}
}

export interface EvaluationPool {
	readonly threads: number;
	/** Evaluations waiting for a thread. */
	waiting(): number;
	/**
	 * Evaluates in a worker thread; series travel as shared memory. Rejects with the signal's reason when
	 * aborted (the thread is ended, the only way to stop a loop), with EvaluationPoolError when the
	 * queue is full or the pool closed, and with the strategy's own error.
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

/** Threads for strategies' CPU work, so that the event loop stays free. Throws RangeError for bad options. */
export function createEvaluationPool(options: EvaluationPoolOptions = {}): EvaluationPool {
	const threads = positive("threads", options.threads ?? Math.max(2, Math.min(4, availableParallelism() - 1)));
	const queueMax = positive("queueMax", options.queueMax ?? 512);
	const pool: Piscina<CrossingRequest, Evaluation> = new Piscina({
		filename: workerFile,
		minThreads: 1,
		maxThreads: threads,
		maxQueue: queueMax,
		idleTimeout: positive("idleTimeoutMs", options.idleTimeoutMs ?? 60_000),
		concurrentTasksPerWorker: 1,
	});
	let closing: Promise<void> | null = null;

	return {
		threads,
		waiting: () => pool.queueSize,
		async evaluate(request, signal) {
			if (closing) throw new EvaluationPoolError("closed", "the evaluation pool is closed");
			signal.throwIfAborted();
			if (pool.queueSize >= queueMax) {
				throw new EvaluationPoolError("overloaded", `${queueMax} evaluations are waiting`);
			}
			try {
				return await pool.run(crossing(request), { signal });
			} catch (error) {
				if (signal.aborted) throw signal.reason;
				if (closing) throw new EvaluationPoolError("closed", "the evaluation pool was closed");
				throw error;
			}
		},
		close() {
			closing ??= pool.destroy();
			return closing;
		},
	};
}
