import { cancelScan } from "./commands/cancel.ts";
import { clearScans } from "./commands/clear.ts";
import type { CommandDeps } from "./commands/deps.ts";
import { redriveScan } from "./commands/redrive.ts";
import { startScan } from "./commands/start.ts";
import type { ScanCommands } from "./services.ts";

/** The write side about scans: start, join, supersede, redrive, cancel, clear. No effect is run here. */

export function createCommands(deps: CommandDeps): ScanCommands {
	return {
		startScan: (viewer, request, reservedId) => startScan(deps, viewer, request, reservedId),
		redriveScan: (viewer, scanId, words, reservedId) => redriveScan(deps, viewer, scanId, words, reservedId),
		cancelScan: (viewer, scanId, reasonText) => cancelScan(deps, viewer, scanId, reasonText ?? null),
		clearScans: (userId) => clearScans(deps, userId),
	};
}

export type { CommandDeps, CommandSettings } from "./commands/deps.ts";
export { finishStart } from "./commands/finish-start.ts";
export { planStrategies } from "./commands/plan.ts";
export { createUserRemoval } from "./commands/remove-user.ts";
export { createStartMemory } from "./commands/start-memory.ts";
