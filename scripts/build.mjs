/**
 * Builds dist/: compiles src and machines, and copies what the compiler leaves behind (Lua scripts, web
 * files). Does nothing when no source is newer than the last build. `--force` builds in any case.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { lock } from "./build-lock.mjs";
import { buildWeb } from "./build-web.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, "dist");
const STAMP = join(DIST, ".build-stamp");
const SOURCES = ["src", "machines", "web"];
const SETTINGS = ["package.json", "tsconfig.json", "tsconfig.build.json", "scripts/build.mjs", "scripts/build-web.mjs"];
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
/** Another build may replace the folder between any two looks at it. */
function isCurrent() {
	try {
		return readFileSync(STAMP, "utf8") === stamp;
	} catch (error) {
		if (error.code === "ENOENT") return false;
		throw error;
	}
}
const forced = process.argv.includes("--force");
if (isCurrent() && !forced) process.exit(0);
process.on("exit", lock(join(ROOT, ".build-lock")));
if (isCurrent() && !forced) process.exit(0);

// Built beside dist and moved there whole: a process that starts meanwhile sees the old build or the new one.
const draft = join(ROOT, "dist.draft");
rmSync(draft, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
const compiled = spawnSync(
	process.execPath,
	[join(dirname(compiler), "bin", "tsc"), "-p", join(ROOT, "tsconfig.build.json"), "--outDir", draft],
	{ cwd: ROOT, stdio: "inherit" },
);
if (compiled.status !== 0) {
	rmSync(draft, { recursive: true, force: true });
	console.error("build failed");
	process.exit(compiled.status ?? 1);
}

// The dashboard is bundled; a failure leaves the last build as it is.
if (existsSync(join(ROOT, "web"))) await buildWeb(ROOT, join(draft, "web"));

const isProgram = (file) => !file.startsWith(`web${sep}`);
const assets = sources.filter(
	(file) => isProgram(file) && !NOT_COPIED.has(extname(file)) && !/(^|\/)tsconfig[^/]*\.json$/.test(file),
);
for (const file of assets) {
	mkdirSync(dirname(join(draft, file)), { recursive: true });
	cpSync(join(ROOT, file), join(draft, file));
}
writeFileSync(join(draft, ".build-stamp"), stamp);
const replaced = join(ROOT, "dist.replaced");
rmSync(replaced, { recursive: true, force: true });
if (existsSync(DIST)) renameSync(DIST, replaced);
renameSync(draft, DIST);
rmSync(replaced, { recursive: true, force: true });
console.log(`built dist/ (${sources.filter(isProgram).length - assets.length} modules, ${assets.length} other files)`);
