import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { LOOKOUT } from "./sides.ts";

/** A program of the benchmarks as it is when built: the loader of TypeScript makes code slower, and other. */
export async function built(entry: string, outfile: string): Promise<void> {
	await build({
		entryPoints: [entry],
		outfile,
		bundle: true,
		packages: "external",
		platform: "node",
		format: "esm",
		target: "node20",
		logLevel: "error",
	});
}

/** Lookout's side of the comparison. */
export const buildLookout = (): Promise<void> =>
	built(fileURLToPath(new URL("./lookout.ts", import.meta.url)), LOOKOUT);
