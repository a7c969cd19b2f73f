/** Ends the process in order: each step with a limit of its own, all of them within one total. */
import closeWithGrace from "close-with-grace";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";

export interface ShutdownStep {
	/** As it appears in the log. */
	readonly name: string;
	readonly limitMs: number;
	/** Aborted when the step's time is over; what ignores it is left behind. */
	run(signal: AbortSignal): Promise<unknown> | unknown;
}

/** Lanes run beside each other, the steps of a lane one after another; the stage ends with its last lane. */
export interface Lanes {
	readonly lanes: readonly (readonly ShutdownStep[])[];
}

export type ShutdownStage = ShutdownStep | Lanes;

export interface StepEnd {
	readonly name: string;
	readonly end: "done" | "failed" | "timed_out" | "skipped";
	readonly duration_ms: number;
}

/** Everything is closed within this time of the signal. */
export const SHUTDOWN_TOTAL_MS = 20_000;
/** The process is ended from outside the steps when even the counting of their time hangs. */
const GRACE_MS = 500;

/**
 * Runs the stages one after another. A step that fails or takes too long is logged and left, because the
 * later ones (closing connections) are worth doing all the same. The first step of every lane has begun
 * when the stage begins: nothing else comes between. Never throws.
 *
 * @param clock measures and limits; limits are cut to what is left of `totalMs`.
 * @returns the steps in the order in which they ended.
 */
export async function runShutdown(
	stages: readonly ShutdownStage[],
	clock: Clock,
	logger: Logger,
	totalMs = SHUTDOWN_TOTAL_MS,
): Promise<StepEnd[]> {
	const deadlineAtMs = clock.now() + totalMs;
	const ends: StepEnd[] = [];
	const runLane = async (steps: readonly ShutdownStep[]): Promise<void> => {
		for (const step of steps) {
			const startedAtMs = clock.now();
			const limitMs = Math.min(step.limitMs, deadlineAtMs - startedAtMs);
			const end = limitMs > 0 ? await runStep(step, limitMs, clock, logger) : "skipped";
			const facts: StepEnd = { name: step.name, end, duration_ms: clock.now() - startedAtMs };
			logger[end === "done" ? "info" : "warn"]({ step: facts }, "shutdown step");
			ends.push(facts);
		}
	};
	for (const stage of stages) await Promise.all(("lanes" in stage ? stage.lanes : [[stage]]).map(runLane));
	return ends;
}

async function runStep(step: ShutdownStep, limitMs: number, clock: Clock, logger: Logger): Promise<StepEnd["end"]> {
	const controller = new AbortController();
	let timer: unknown;
	const limit = new Promise<"timed_out">((resolve) => {
		timer = clock.setTimeout(() => {
			controller.abort();
			resolve("timed_out");
		}, limitMs);
	});
	const work = (async (): Promise<"done" | "failed"> => {
		try {
			await step.run(controller.signal);
			return "done";
		} catch (error) {
			logger.warn({ err: error, step: step.name }, "shutdown step failed");
			return "failed";
		}
	})();
	const end = await Promise.race([work, limit]);
	clock.clearTimeout(timer);
	return end;
}

/** The part of close-with-grace that is used; a test hands in its own. */
export type GraceInstaller = (
	options: {
		delay: number;
		logger: false;
		onSecondSignal(signal: string): void;
		onSecondError(error: unknown): void;
		onTimeout(delay: number): void;
	},
	close: (cause: { err?: Error; signal?: string; manual?: boolean }) => Promise<void>,
) => { close(): void; uninstall(): void };

/**
 * Closes on SIGTERM, SIGINT and other ending signals (exit code 0), and after an uncaught error (exit code
 * 1). A second signal ends the process at once.
 *
 * @param stages called when the end begins, so that it names what exists then.
 * @returns `close()` begins the same end without a signal; `uninstall()` forgets the handlers.
 */
export function installShutdown(
	stages: () => readonly ShutdownStage[],
	clock: Clock,
	logger: Logger,
	install: GraceInstaller = closeWithGrace as unknown as GraceInstaller,
): { close(): void; uninstall(): void } {
	return install(
		{
			delay: SHUTDOWN_TOTAL_MS + GRACE_MS,
			logger: false,
			onSecondSignal: (signal) => logger.error({ signal }, "second signal, leaving at once"),
			onSecondError: (error) => logger.error({ err: error }, "second error, leaving at once"),
			onTimeout: () => logger.error("shutdown took too long, leaving"),
		},
		async ({ err, signal, manual }) => {
			if (err) logger.fatal({ err }, "uncaught error, shutting down");
			else logger.info({ signal: signal ?? (manual ? "manual" : "none") }, "shutting down");
			const ends = await runShutdown(stages(), clock, logger);
			logger.info({ steps: ends.length }, "shut down");
		},
	);
}
