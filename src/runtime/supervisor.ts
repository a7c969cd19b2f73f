import type { Clock } from "../clock.ts";
import type { RunLog } from "./scan-run.ts";
import { passLimitMs, type Watchdog } from "./watchdog.ts";

/** How often the supervisor looks, ms. */
const LOOK_EVERY_MS = 1_000;

interface SupervisorDeps {
	watchdog: Pick<Watchdog, "idleMs" | "restart">;
	clock: Clock;
	log: RunLog;
	settings: { watchdog_ms: number };
}

/**
 * Who watches the watchdog: a timer of its own that begins the watchdog's loop again once it has not
 * turned for longer than a pass may take. It knows nothing about scans, so what stops the one does not
 * stop the other.
 */
export function superviseWatchdog({ watchdog, clock, log, settings }: SupervisorDeps): { stop(): void } {
	const limitMs = passLimitMs(settings.watchdog_ms) + 2 * settings.watchdog_ms;
	let timer: unknown = null;
	let stopped = false;
	const look = (): void => {
		if (stopped) return;
		const idle_ms = watchdog.idleMs();
		if (idle_ms > limitMs) {
			log.error({ idle_ms }, "the watchdog has died; it is started again");
			watchdog.restart();
		}
		timer = clock.setTimeout(look, LOOK_EVERY_MS);
	};
	timer = clock.setTimeout(look, LOOK_EVERY_MS);
	return {
		stop() {
			stopped = true;
			clock.clearTimeout(timer);
		},
	};
}
