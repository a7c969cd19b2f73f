import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The built dashboard: beside the compiled program, or in dist/ when the sources run as they are; null: not built. */
export function dashboardDir(): string | null {
	const above = dirname(import.meta.dirname);
	const built = basename(above) === "dist" ? join(above, "web") : join(above, "dist", "web");
	return existsSync(join(built, "index.html")) ? built : null;
}
