#!/usr/bin/env node
/** Starts the command line from dist/, which is built first where the sources lie beside it. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
if (existsSync(join(root, "src")) && existsSync(join(root, "tsconfig.build.json"))) {
	// What the build says belongs on standard error: standard output is the command's own.
	const built = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], { stdio: ["ignore", 2, 2] });
	if (built.status !== 0) process.exit(1);
}
await import(pathToFileURL(join(root, "dist", "src", "cli.js")).href);
