import { limited } from "../clock.ts";
import { createTreatments, type Treatment, type TreatmentDeps } from "./treatments.ts";

/**
 * The watchdog finds scans that nobody answers for: past their deadline (ends them), without a live lease
 * (claims them here, beside what the queue delivers), half-started or never delivered (finishes, drops or claims them),
 * lost from an index (lists them again), and ids whose tombstone is over (forgets them). Every step is idempotent, so any number of processes may run it.
 * It is watched itself: a pass and each of its steps have a deadline, its last whole pass is noted in the
 * store for every process to see, and a supervisor begins its loop again when it no longer turns.
 */
export interface Watchdog {
	/** One pass; for tests and for the loop. */
	pass(): Promise<void>;
	start(): void;
	/** Begins the loop again; what the old one still does is dropped. */
	restart(): void;
	/** How long the loop has not turned, ms. A pass that fails is a turn too: the store may be away. */
	idleMs(): number;
	stop(): Promise<void>;
}

export interface WatchdogDeps extends TreatmentDeps {
	settings: { watchdog_ms: number; lease_ms: number };
}

/** Scans treated at once. */
const TOGETHER = 10;
/** How long one treatment goes on with further lists: the others of the pass have their turn within its limit. */
const AGAIN_LIMIT_MS = 2_000;
/** A few commands of a store that answers; one that is silent fails the first of them before. */
const STEP_LIMIT_MS = 4_000;
const PASS_LIMIT_MS_MIN = 5_000;
const PASS_LIMIT_PERIODS = 10;

/** How long a pass may take, and from when on the last whole one is late, ms. */
export const passLimitMs = (watchdogMs: number): number => Math.max(PASS_LIMIT_MS_MIN, PASS_LIMIT_PERIODS * watchdogMs);

export function createWatchdog(deps: WatchdogDeps): Watchdog {
	const { writer, clock, log, settings } = deps;
	const treatments = createTreatments(deps);
	const limitMs = passLimitMs(settings.watchdog_ms);
	let timer: unknown = null;
	let loop = 0;
	let turnedAtMs = clock.now();
	let current: Promise<void> = Promise.resolve();

	/** One failing treatment must not keep the others from being made; only a whole pass is noted. */
	async function pass(wanted: () => boolean = () => true): Promise<void> {
		let whole = true;
		for (const treatment of treatments) {
			if (!wanted()) return;
			whole = (await treat(treatment, wanted)) && whole;
		}
		if (whole && wanted()) await writer.noteSweep();
	}

	async function treat(treatment: Treatment, wanted: () => boolean): Promise<boolean> {
		try {
			const again = treatment.untilDone?.full ?? Number.POSITIVE_INFINITY;
			const untilMs = clock.now() + AGAIN_LIMIT_MS;
			const seen = new Set<string>();
			for (let more = true; more && wanted(); ) {
				const listed = await limited(clock, STEP_LIMIT_MS, treatment.name, treatment.list(seen));
				await treatAll(treatment, listed, wanted);
				for (const scanId of listed) seen.add(scanId);
				more = listed.length >= again && clock.now() < untilMs;
			}
			return true;
		} catch (error) {
			log.warn({ pass: treatment.name, err: error }, "watchdog could not look");
			return false;
		}
	}

	async function treatAll(treatment: Treatment, scanIds: readonly string[], wanted: () => boolean): Promise<void> {
		for (let from = 0; from < scanIds.length && wanted(); from += TOGETHER) {
			await Promise.all(scanIds.slice(from, from + TOGETHER).map((scanId) => treatOne(treatment, scanId)));
		}
	}

	/** One bad scan must not keep the others from being looked at. */
	async function treatOne(treatment: Treatment, scanId: string): Promise<void> {
		try {
			await limited(clock, STEP_LIMIT_MS, treatment.name, treatment.each(scanId));
		} catch (error) {
			log.warn({ scan_id: scanId, pass: treatment.name, err: error }, "watchdog could not treat a scan");
			await treatment.failed?.(scanId).catch(() => undefined);
		}
	}

	function turn(mine: number): void {
		timer = clock.setTimeout(() => {
			let late = false;
			const work = pass(() => !late && loop === mine);
			current = limited(clock, limitMs, "the watchdog's pass", work)
				.catch((error: unknown) => {
					late = true;
					log.warn({ err: error }, "watchdog pass failed");
				})
				.then(() => {
					if (loop !== mine) return;
					turnedAtMs = clock.now();
					turn(mine);
				});
		}, settings.watchdog_ms);
	}

	function begin(): void {
		clock.clearTimeout(timer);
		turnedAtMs = clock.now();
		loop += 1;
		turn(loop);
	}

	return {
		pass,
		start: begin,
		restart: begin,
		idleMs: () => clock.now() - turnedAtMs,
		async stop() {
			loop += 1;
			clock.clearTimeout(timer);
			await current;
		},
	};
}
