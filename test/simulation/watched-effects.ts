import type { Effects } from "../../src/effects/contract.ts";
import type { History } from "./history.ts";
import { lifeOf, type Shadows } from "./shadow.ts";
import type { Process } from "./world.ts";

interface Watcher {
	history: History;
	shadows: Shadows;
	violate(invariant: string, text: string): void;
}

/** I3 and I6 where they matter: at the moment an effect begins. */
export function watchedEffects({ history, shadows, violate }: Watcher, process: Process, real: Effects): Effects {
	const { life } = process;
	return {
		...real,
		evaluateStrategy: (effect, context) => {
			const scanId = context.scan.input.scan_id;
			const { strategy_id, attempt } = effect;
			const shadow = shadows.scans.get(scanId);
			const entry = shadows.entry(scanId, strategy_id);
			const by = lifeOf(process, life);
			history.note("evaluate", { by, scan_id: scanId, strategy_id, attempt });
			if (!entry || entry.attempt < attempt)
				violate("I3", `${by} runs attempt ${attempt} of ${strategy_id} of ${scanId} before it is committed`);
			const holds = shadow?.holders.get(shadow.facts.epoch) === by;
			if (holds && entry?.verdict && entry.attempt >= attempt)
				violate("I6", `${by} runs ${strategy_id} of ${scanId} again after it was settled`);
			return real.evaluateStrategy(effect, context);
		},
	};
}
