import { askAs, cancelCall, type RequestDeps } from "./requests.ts";
import type { ScanShadow } from "./shadow.ts";

/** Share of scans that their user cancels when they lose their holder, and how often that is looked for. */
const LOST_AND_CANCELLED = 0.3;
const LOOK_EVERY_MS = 100;

/** Users who cancel at the very moment at which nobody holds their scan: its lease is over, and nobody knows yet. */
export function cancelWithoutHolder(
	deps: RequestDeps,
	scans: ReadonlyMap<string, ScanShadow>,
	clients: { change(by: number): number },
): void {
	const { world } = deps;
	const dice = world.dice.fork("cancel without holder");
	const seen = new Set<string>();
	const look = (): void => {
		for (const { scanId, owner, facts } of scans.values()) {
			const isHeld = !facts.accepted || facts.ended || facts.worker === "" || facts.released;
			const mark = `${scanId}.${facts.epoch}`;
			if (isHeld || facts.leaseMs > world.now() || seen.has(mark)) continue;
			seen.add(mark);
			if (!dice.chance(LOST_AND_CANCELLED)) continue;
			clients.change(1);
			const ask = askAs(deps, `canceller of ${owner}`, owner, dice);
			ask("cancel", scanId, cancelCall({ user_id: owner, role: "trader" }, scanId)).finally(() => clients.change(-1));
		}
		if (clients.change(0) > 0) world.after(LOOK_EVERY_MS, null, look);
	};
	world.after(LOOK_EVERY_MS, null, look);
}
