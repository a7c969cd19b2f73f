import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { LOOKOUT } from "./sides.ts";

/** Lookout's side of the comparison as it is when built: the loader of TypeScript makes code slower. */
export async function buildLookout(): Promise<void> {
	await build({
		entryPoints: [fileURLToPath(new URL("./lookout.ts", import.meta.url))],
		outfile: LOOKOUT,
		bundle: true,
		packages: "external",
		platform: "node",
		format: "esm",
		target: "node20",
		logLevel: "error",
	});
}
