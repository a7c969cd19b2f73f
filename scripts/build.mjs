/**
 * Builds dist/: compiles src and machines, and copies what the compiler leaves behind (Lua scripts, web
 * files). Does nothing when no source is newer than the last build. `--force` builds in any case.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".build-stamp");
const SOURCES = ["src", "machines", "web"];
const SETTINGS = ["package.json", "tsconfig.json", "tsconfig.build.json", "scripts/build.mjs"];
/** What tsc handles or what is no part of the program. */
const NOT_COPIED = new Set([".ts", ".md"]);

function filesUnder(folder) {
	if (!existsSync(join(ROOT, folder))) return [];
	return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		return entry.isDirectory() ? filesUnder(path) : [path];
	});
}

/** Names, sizes and times of everything that the build depends on; a deleted file changes it as well. */
function stampOf(files) {
	const hash = createHash("sha256");
	for (const file of files) {
		const facts = statSync(join(ROOT, file));
		hash.update(`${file}\0${facts.size}\0${facts.mtimeMs}\n`);
	}
	return hash.digest("hex");
}

const sources = SOURCES.flatMap(filesUnder).sort();
const stamp = stampOf([...sources, ...SETTINGS]);
const current = existsSync(STAMP) ? readFileSync(STAMP, "utf8") : "";
if (current === stamp && !process.argv.includes("--force")) process.exit(0);

rmSync(DIST, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
const compiled = spawnSync(
	process.execPath,
	[join(dirname(compiler), "bin", "tsc"), "-p", join(ROOT, "tsconfig.build.json")],
	{ cwd: ROOT, stdio: "inherit" },
);
if (compiled.status !== 0) {
	rmSync(DIST, { recursive: true, force: true });
	console.error("build failed");
	process.exit(compiled.status ?? 1);
}

const assets = sources.filter((file) => !NOT_COPIED.has(extname(file)) && !/(^|\/)tsconfig[^/]*\.json$/.test(file));
for (const file of assets) {
	mkdirSync(dirname(join(DIST, file)), { recursive: true });
	cpSync(join(ROOT, file), join(DIST, file));
}
writeFileSync(STAMP, stamp);
console.log(`built dist/ (${sources.length - assets.length} modules, ${assets.length} other files)`);
