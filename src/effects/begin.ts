import type { Clock } from "../clock.ts";
import { begunAt } from "../market/live-rules.ts";
import type { EffectContext } from "./contract.ts";

/**
 * When the scan began, for its reads of the market: at its acceptance, however long it has waited for a worker since.
 * `begunMs`: epoch ms of the process's clock; `agoMs`: since then.
 */
export function beginOf(context: Pick<EffectContext, "elapsedMs">, clock: Clock): { begunMs: number; agoMs: number } {
	const nowMs = clock.now();
	const begunMs = begunAt(nowMs, nowMs - context.elapsedMs());
	return { begunMs, agoMs: nowMs - begunMs };
}
