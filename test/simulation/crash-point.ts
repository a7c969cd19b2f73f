import type { CrashPoint } from "./result.ts";
import { scriptName } from "./script-names.ts";
import type { SimulatedServer } from "./server.ts";
import type { ScanShadow } from "./shadow.ts";
import type { Process } from "./world.ts";

/** Is this command one at which a worker may be made to die? Those that it sends from the claim to the end of the scan. */
export const crashPoint =
	({ at }: CrashPoint, scans: ReadonlyMap<string, ScanShadow>, server: SimulatedServer) =>
	(from: Process, command: string, args: readonly string[]): boolean => {
		const script = command.startsWith("EVAL") ? scriptName(command, args[0] ?? "") : null;
		const [shadow] = scans.values();
		const running = shadow !== undefined && !shadow.facts.ended && (shadow.facts.epoch > 0 || script === "CLAIM");
		if (!from.name.startsWith("worker") || !running || (at === "commit" && script !== "COMMIT")) return false;
		// A script that the server does not know yet is sent twice; only the second sending has an effect.
		return command !== "EVALSHA" || server.knows(args[0] ?? "");
	};
