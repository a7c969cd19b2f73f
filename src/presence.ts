import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";
import type { MarketReport } from "./market-report.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { WorkerInfo } from "./store/contract.ts";
import type { ScanWriter } from "./store/write-contract.ts";

/** How often a worker says that it is there, and how long it may be silent before it is no longer counted. */
export const WORKER_NOTE_MS = 2_000;
export const WORKER_SILENT_MS = 10_000;
const OTHERS_LOOKED_AT = 8;
/** Less than any: nothing is run past the queue. */
const NOT_KNOWN = -1;

interface PresenceDeps {
	writer: ScanWriter;
	/** Some of the workers that have said that they are there, other ones each time. */
	someWorkers: (most: number) => Promise<WorkerInfo[]>;
	runtime: Runtime;
	clock: Clock;
	logger: Logger;
	version: string;
	draining: () => boolean;
	market: MarketReport;
}

/** Those that have been heard of lately: one that was killed cannot take itself off the list. */
export const liveWorkers = (workers: readonly WorkerInfo[], nowMs: number): WorkerInfo[] =>
	workers.filter(({ last_seen_at_ms }) => nowMs - last_seen_at_ms < WORKER_SILENT_MS);

export interface Presence {
	/** Resolves when the worker is listed for the first time. */
	first: Promise<void>;
	/**
	 * Scans in hand of the least busy of the other workers that take scans, as of the last look; infinite: none is there,
	 * negative: not known. Of many, some are looked at: the least busy of a few is nearly as good (the power of two choices; Mitzenmacher, 2001).
	 */
	leastElsewhere(): number;
	/** Says it again now, because something has changed. */
	update(): Promise<void>;
	stop(): Promise<void>;
}

/** Keeps this worker in the list that operators and /readyz see, and looks who else is there. */
export function announcePresence(deps: PresenceDeps): Presence {
	const { writer, someWorkers, runtime, clock, logger, version, draining, market } = deps;
	let leastElsewhere = NOT_KNOWN;
	const startedAtMs = writer.now();
	let timer: unknown = null;
	let stopped = false;
	const note = async () => {
		const figures = await market.state();
		await writer.noteWorker({
			worker_id: runtime.workerId,
			version,
			started_at_ms: startedAtMs,
			last_seen_at_ms: writer.now(),
			scans_active: runtime.active(),
			draining: draining(),
			market: figures,
		});
		await market.requests((amounts) => writer.addTotals(amounts));
	};
	const look = async () => {
		const some = await someWorkers(OTHERS_LOOKED_AT + 1);
		const others = liveWorkers(some, writer.now()).filter(
			(worker) => worker.worker_id !== runtime.workerId && !worker.draining,
		);
		const isSample = some.length > OTHERS_LOOKED_AT;
		leastElsewhere =
			others.length === 0 && isSample ? NOT_KNOWN : Math.min(...others.map(({ scans_active }) => scans_active));
	};
	const update = (): Promise<void> =>
		note().catch((error: unknown) => logger.warn({ err: error }, "worker presence not noted"));
	const lookAround = (): Promise<void> =>
		look().catch((error: unknown) => {
			leastElsewhere = NOT_KNOWN;
			logger.warn({ err: error }, "not known which other workers are there; what is started here is queued");
		});
	const loop = (): Promise<void> =>
		Promise.all([update(), lookAround()]).then(() => {
			if (!stopped) timer = clock.setTimeout(loop, WORKER_NOTE_MS);
		});
	return {
		first: loop(),
		leastElsewhere: () => leastElsewhere,
		update,
		async stop() {
			stopped = true;
			clock.clearTimeout(timer);
			await market.requests((amounts) => writer.addTotals(amounts)).catch(() => undefined);
			await writer.forgetWorker(runtime.workerId).catch(() => undefined);
		},
	};
}
