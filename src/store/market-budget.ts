import type { Redis } from "ioredis";
import type { SharedBudget } from "../market/sharing.ts";
import { marketKeys, sourceAt } from "./keys.ts";
import { FAULT, TAKE } from "./market-scripts.ts";
import { runScript } from "./script-runner.ts";

/** Parts of a window: the more, the sooner room comes back, and the more there is to add up. */
const PARTS = 60;
/** The longest ban that an exchange gives. */
const FAULT_MS_MAX = 4 * 86_400_000;

/**
 * Budgets of request weight and faults of sources in Redis, on its clock. `baseUrl`: the address that stands in for the
 * exchanges; null: none does.
 */
export function createMarketBudget(redis: Redis, baseUrl: string | null = null): SharedBudget {
	const keysAt = (source: string) => marketKeys(sourceAt(source, baseUrl));
	const fault = async (source: string, field: string, ms: number): Promise<void> => {
		await runScript(redis, FAULT, [keysAt(source).faults, field, Math.min(Math.ceil(ms), FAULT_MS_MAX), FAULT_MS_MAX]);
	};
	return {
		async take({ source, limit, process, calls, seen_weight }) {
			const { weights, waiting, faults } = keysAt(source);
			const partMs = Math.max(1, Math.ceil(limit.window_ms / PARTS));
			const asked = calls.flatMap(({ weight, waited_ms }) => [weight, Math.max(0, Math.round(waited_ms))]);
			const figures = [limit.weight_max, limit.window_ms, partMs, process, seen_weight, ...asked];
			const reply = (await runScript(redis, TAKE, [weights, waiting, faults, ...figures])) as unknown[];
			const [granted, wait_ms, used_weight, blocked_ms] = reply.slice(0, 4).map(Number) as [
				number,
				number,
				number,
				number,
			];
			const open: Record<string, number> = {};
			for (let i = 4; i + 1 < reply.length; i += 2) open[String(reply[i])] = Number(reply[i + 1]);
			return { granted, wait_ms, used_weight, blocked_ms, open };
		},
		block: (source, ms) => fault(source, "blocked", ms),
		open: (source, endpoint, ms) => fault(source, `open:${endpoint}`, ms),
		async probe(source, endpoint, process, ms) {
			const key = keysAt(source).probes + endpoint;
			if ((await redis.set(key, process, "PX", ms, "NX")) === "OK") return true;
			// A reply that was lost is asked for again: the first time may have been ours.
			return (await redis.get(key)) === process;
		},
		async closed(source, endpoint) {
			const { faults, probes } = keysAt(source);
			await Promise.all([redis.hdel(faults, `open:${endpoint}`), redis.del(probes + endpoint)]);
		},
	};
}
