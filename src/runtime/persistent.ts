import { delay } from "../clock.ts";
import type { RunDeps } from "./scan-run.ts";

const RETRY_MS = 50;
const RETRY_MS_MAX = 1_000;

/**
 * Sends the same bytes until the store answers: a lost reply then reads as `duplicate`. Null: no answer
 * until `giveUpAtMs` on the store's clock, or nobody wants it any more.
 */
export async function untilAnswered<T>(
	send: () => Promise<T>,
	{ writer, clock, log }: Pick<RunDeps, "writer" | "clock" | "log">,
	facts: { scan_id: string; giveUpAtMs: number; wanted: () => boolean; onTry: () => void },
): Promise<T | null> {
	for (let pause = RETRY_MS; ; pause = Math.min(pause * 2, RETRY_MS_MAX)) {
		facts.onTry();
		try {
			return await send();
		} catch (error) {
			log.warn({ scan_id: facts.scan_id, err: error }, "commit not answered, trying again");
			if (!facts.wanted() || writer.now() + pause > facts.giveUpAtMs) return null;
			await delay(clock, pause);
		}
	}
}
