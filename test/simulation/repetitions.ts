import type { StrategyEntry } from "../../machines/types.ts";
import type { StartResult } from "../../src/services.ts";
import type { Violate } from "./checker.ts";
import type { Observation } from "./clients.ts";
import type { SimulationResult } from "./result.ts";

/** What must hold of requests that are sent again and of scans that are run again. */

export const startsOf = (observations: readonly Observation[]) =>
	observations.filter(({ kind, outcome }) => (kind === "start" || kind === "redrive") && outcome === "ok");

/** The same request under the same key is the same scan, however often it is sent and whatever died between. */
export function onceByKey({ observations }: SimulationResult, violate: Violate): void {
	const first = new Map<string, string>();
	for (const { key, body, api } of startsOf(observations)) {
		if (key === null) continue;
		const { scan_id } = body as StartResult;
		const known = first.get(key);
		if (known !== undefined && known !== scan_id)
			violate("one scan per key", `${key} was answered with ${known}, then on ${api} with ${scan_id}`);
		first.set(key, scan_id);
	}
}

/** A redrive carries over what its scan found, as it found it. That the old scan stays as it was is seen at each write. */
export function redrives({ shadows }: SimulationResult, violate: Violate): void {
	for (const { scanId, final } of shadows.scans.values()) {
		const old = shadows.scans.get(final?.record.context.input.redrive_of ?? "");
		if (!final || !old) continue;
		if (!old.final) {
			violate("redrive", `${scanId} repeats ${old.scanId}, which has not ended`);
			continue;
		}
		const before = new Map(old.final.record.context.strategies.map((entry) => [entry.strategy_id, entry]));
		for (const entry of final.record.context.strategies) {
			if (entry.carried_over_from === null) continue;
			const was = before.get(entry.strategy_id);
			const plain = (one: StrategyEntry) => JSON.stringify({ ...one, index: 0, priority: 0, carried_over_from: null });
			// What the old scan did not reach ended with it.
			const isUnreached = entry.verdict === "cancelled" && entry.attempt === 0 && entry.tally.evaluated === 0;
			if (was ? plain(entry) !== plain(was) : !isUnreached)
				violate("redrive", `${scanId} carries ${entry.strategy_id} over from ${old.scanId} as something else`);
		}
	}
}
