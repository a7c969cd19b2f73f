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
	/** One evaluation may compute this long, ms; then its thread is ended. Default EVALUATION_LIMIT_MS. */
	evaluationLimitMs?: number;
	/** Arms that limit; returns what disarms it. Default: the process's own timers. */
	arm?: (callback: () => void, delayMs: number) => () => void;
	/** Module of the threads, a file URL. Default: the one beside this file. */
	workerFile?: string;
}

/**
 * Far above what any strategy computes (seconds on a busy machine) and well below a strategy's time limit:
 * one that loops must give its thread back while there is time left for the others.
 */
export const EVALUATION_LIMIT_MS = 30_000;

/** Refused or stopped evaluations; `retryable` says whether again may help. */
export class EvaluationPoolError extends Error {
	/** evaluation_timeout: it computed for too long, which a pure function would do again. */
	readonly code: "overloaded" | "closed" | "evaluation_timeout";
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
	 * Evaluates in a worker thread; series travel as shared memory. Rejects with the signal's reason when
	 * aborted (the thread is ended, the only way to stop a loop), with EvaluationPoolError when the
	 * queue is full, the pool closed or the evaluation too long, and with the strategy's own error.
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
	const pool: Piscina<CrossingRequest, Evaluation> = new Piscina({
		filename: options.workerFile ?? workerFile,
		minThreads: 1,
		maxThreads: threads,
		maxQueue: queueMax,
		idleTimeout: positive("idleTimeoutMs", options.idleTimeoutMs ?? 60_000),
		concurrentTasksPerWorker: 1,
	});
	const gate = createGate(threads, queueMax);
	let closing: Promise<void> | null = null;
	const closed = () => new EvaluationPoolError("closed", "the evaluation pool is closed");

	/** In a thread of its own from the first moment, so the limit counts computing and never waiting. */
	async function compute(request: EvaluationRequest, signal: AbortSignal): Promise<Evaluation> {
		const limit = new AbortController();
		const disarm = arm(() => limit.abort(), limitMs);
		try {
			return await pool.run(crossing(request), { signal: AbortSignal.any([signal, limit.signal]) });
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
		waiting: gate.waiting,
		async evaluate(request, signal) {
			if (closing) throw closed();
			signal.throwIfAborted();
			await gate.enter(signal);
			try {
				if (closing) throw closed();
				return await compute(request, signal);
			} finally {
				gate.leave();
			}
		},
		close() {
			closing ??= pool.destroy();
			gate.refuse(closed());
			return closing;
		},
	};
}

/** At most `places` inside and `waitingMax` before the door, first come first served. */
function createGate(places: number, waitingMax: number) {
	interface Waiter {
		enter(): void;
		refuse(reason: unknown): void;
	}
	const queue = new Set<Waiter>();
	let inside = 0;
	return {
		waiting: () => queue.size,
		enter(signal: AbortSignal): Promise<void> {
			if (inside < places) {
				inside += 1;
				return Promise.resolve();
			}
			if (queue.size >= waitingMax) {
				return Promise.reject(new EvaluationPoolError("overloaded", `${waitingMax} evaluations are waiting`));
			}
			return new Promise((resolve, reject) => {
				const done = () => {
					queue.delete(waiter);
					signal.removeEventListener("abort", onAbort);
				};
				const onAbort = () => waiter.refuse(signal.reason);
				const waiter: Waiter = {
					enter() {
						done();
						resolve();
					},
					refuse(reason) {
						done();
						reject(reason);
					},
				};
				queue.add(waiter);
				signal.addEventListener("abort", onAbort, { once: true });
			});
		},
		/** The place passes to the next one without being free in between. */
		leave(): void {
			const [next] = queue;
			if (next) next.enter();
			else inside -= 1;
		},
		refuse(reason: unknown): void {
			for (const waiter of [...queue]) waiter.refuse(reason);
		},
	};
}
