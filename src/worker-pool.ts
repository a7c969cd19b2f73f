import { Piscina } from "piscina";

/** What a pool says of its threads. */
export interface PoolNews {
	/** A thread could not start, or broke while it had no task. The next task starts another. */
	broken?(error: Error): void;
	/** A thread has ended, for whatever reason. */
	ended?(): void;
}

export interface WorkerPool<Task, Answer> {
	/** Rejects as Piscina does, and with what `noThread` makes of the error that kept a thread from starting. */
	run(task: Task, signal?: AbortSignal): Promise<Answer>;
	destroy(): Promise<void>;
}

type Options = NonNullable<ConstructorParameters<typeof Piscina>[0]>;

/** Options of Node.js that say how modules are loaded, with a value and without. A thread refuses those that hold for the whole process. */
const LOADING = ["--import", "--require", "-r", "--loader", "--experimental-loader", "--conditions", "-C"];
const LOADING_ALONE = [
	"--enable-source-maps",
	"--preserve-symlinks",
	"--experimental-strip-types",
	"--experimental-transform-types",
];

const loadingOnly = (options: readonly string[]): string[] =>
	options.flatMap((option, i) => {
		if (LOADING.includes(option)) return options.slice(i, i + 2);
		const isLoading = LOADING_ALONE.includes(option) || LOADING.some((name) => option.startsWith(`${name}=`));
		return isLoading ? [option] : [];
	});

/**
 * Piscina reads a thread's file by `require` first, and only then by `import`. Node aborts the whole process when
 * that ends while one of its threads links an ES module by `require` (an ended import is only ended).
 */
const EXEC_ARGV = [...loadingOnly(process.execArgv), "--no-experimental-require-module"];

/**
 * One thread at most, for one task at a time, that breaks by itself: Piscina's error would end the process without a
 * listener, and nothing else ends what waits for a thread that cannot start.
 */
export function openWorkerPool<Task, Answer>(
	options: Omit<Options, "maxThreads" | "concurrentTasksPerWorker">,
	noThread: (error: Error) => Error,
	news: PoolNews = {},
): WorkerPool<Task, Answer> {
	const pool = new Piscina<Task, Answer>({
		...options,
		execArgv: EXEC_ARGV,
		maxThreads: 1,
		concurrentTasksPerWorker: 1,
	});
	const stops = new Set<AbortController>();
	pool.on("workerDestroy", () => news.ended?.());
	pool.on("error", (error: Error) => {
		news.broken?.(error);
		// What a later thread computes meanwhile is none of it.
		if (pool.queueSize > 0) for (const stop of stops) stop.abort(noThread(error));
	});
	return {
		async run(task, signal) {
			const stop = new AbortController();
			stops.add(stop);
			try {
				return await pool.run(task, { signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal });
			} catch (error) {
				throw stop.signal.aborted ? stop.signal.reason : error;
			} finally {
				stops.delete(stop);
			}
		},
		destroy: () => pool.destroy(),
	};
}
