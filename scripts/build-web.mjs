/** Bundles web/ into a folder: index.html and assets/ with names that change with their content. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

export async function buildWeb(root, out) {
	const assets = join(out, "assets");
	mkdirSync(assets, { recursive: true });
	const { metafile } = await build({
		absWorkingDir: root,
		entryPoints: { app: "web/app.ts" },
		outdir: assets,
		bundle: true,
		splitting: true,
		format: "esm",
		target: "es2022",
		minify: true,
		legalComments: "linked",
		entryNames: "[name]-[hash]",
		chunkNames: "[name]-[hash]",
		assetNames: "[name]-[hash]",
		metafile: true,
		logLevel: "warning",
	});
	let page = readFileSync(join(root, "web", "index.html"), "utf8");
	for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
		const name = basename(path);
		if (entryPoint === "web/app.ts") page = page.replace("/assets/app.js", `/assets/${name}`);
		if (/^app-[^.]+\.css$/.test(name)) page = page.replace("/assets/app.css", `/assets/${name}`);
	}
	writeFileSync(join(out, "index.html"), page);
}
