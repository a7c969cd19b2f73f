import path from "node:path";
import { fileURLToPath } from "node:url";
import { openWorkerPool, type WorkerPool } from "../worker-pool.ts";
import { abortable } from "./abortable.ts";
import { ByteLru } from "./byte-lru.ts";
import { MarketError } from "./contract.ts";
import type { RecordedAnswer, RecordedResults, RecordedTask } from "./recorded-worker.ts";

/** Parsed columns kept in memory; the development set needs about 80 MB. */
export const RECORDED_CACHE_BYTES_MAX = 256 * 1024 * 1024;
/** Idle time after which the reading thread ends; it comes back with the next file. */
const THREAD_IDLE_MS = 5_000;

/** Keys, objects and map entries beside the columns, roughly. */
const ENTRY_OVERHEAD_BYTES = 512;

// The same file runs as .ts under tsx and as .js when built: the worker beside it has the same ending.
const workerFile = fileURLToPath(new URL(`./recorded-worker${path.extname(import.meta.url)}`, import.meta.url));

/** What can be read of a file, and how; the key of the cache. */
export type RecordedRead =
	| { kind: "bars"; stepMs: number }
	| { kind: "funding"; symbolColumn: boolean }
	| { kind: "open_interest" }
	| { kind: "newest" };

export interface RecordedFiles {
	/**
	 * The parsed content of a file, read once in a worker thread and shared by all callers. MarketError
	 * fetch_failed names the file; a failure is not remembered, so a mended file is read again.
	 */
	read<R extends RecordedRead>(file: string, how: R, signal: AbortSignal): Promise<RecordedResults[R["kind"]]>;
	/**
	 * A value made from files, remembered beside them in the same bounded memory. `make` runs once for
	 * all concurrent callers and gets a signal that lives as long as this object.
	 */
	derive<T extends object>(key: string, make: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
	close(): Promise<void>;
}

/** Reads files below `dir`. One thread: the set is small, and the machine's cores are for strategies. */
export function createRecordedFiles(dir: string, threadFile: string = workerFile): RecordedFiles {
	const lifetime = new AbortController();
	const cache = new ByteLru<object>(RECORDED_CACHE_BYTES_MAX);
	const running = new Map<string, Promise<object>>();
	let pool: WorkerPool<RecordedTask, RecordedAnswer> | null = null;
	const noThread = ({ message }: Error) =>
		new MarketError("fetch_failed", `no thread could be started to read files: ${message}`, true);

	const run = async (task: RecordedTask): Promise<object> => {
		lifetime.signal.throwIfAborted();
		pool ??= openWorkerPool({ filename: threadFile, minThreads: 0, idleTimeout: THREAD_IDLE_MS }, noThread);
		const answer = await pool.run(task);
		if (!answer.ok) throw new MarketError("fetch_failed", answer.message, answer.retryable);
		return { value: answer.value };
	};

	const derive = <T extends object>(
		key: string,
		make: (signal: AbortSignal) => Promise<T>,
		signal: AbortSignal,
	): Promise<T> => {
		const known = cache.get(key);
		if (known !== undefined) return Promise.resolve(known as T);
		let work = running.get(key);
		if (work === undefined) {
			work = make(lifetime.signal)
				.then((value) => {
					cache.set(key, value, bytesOf(value));
					return value;
				})
				.finally(() => running.delete(key));
			running.set(key, work);
		}
		return abortable(work as Promise<T>, signal);
	};

	return {
		derive,
		async read(file, how, signal) {
			const task = { ...how, file, path: path.join(dir, file) } as RecordedTask;
			const entry = await derive(`${how.kind}:${file}`, () => run(task), signal);
			return (entry as { value: never }).value;
		},
		async close() {
			lifetime.abort(new MarketError("fetch_failed", "the recorded market is closed", false));
			cache.clear();
			await pool?.destroy();
		},
	};
}

/** Bytes of an object's columns, one level of nesting deep. */
export function bytesOf(value: object): number {
	let bytes = ENTRY_OVERHEAD_BYTES;
	for (const member of Object.values(value)) {
		if (ArrayBuffer.isView(member)) bytes += member.byteLength;
		else if (member !== null && typeof member === "object") {
			for (const column of Object.values(member)) if (ArrayBuffer.isView(column)) bytes += column.byteLength;
		}
	}
	return bytes;
}
