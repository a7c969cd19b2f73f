/** What a browser has to load, and how soon it paints. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromiumPath, launch } from "../../test/support/web-page.ts";

const LOADS = 10;

/** Kilobytes (1,000 bytes) gzipped: what every page loads, and the charts, which come when there are bars to draw. */
export function bundleText(root: string): string {
	const folder = join(root, "dist", "web");
	const page = readFileSync(join(folder, "index.html"), "utf8");
	const assets = join(folder, "assets");
	const sizes = readdirSync(assets)
		.filter((name) => /\.(js|css)$/.test(name))
		.map((name) => ({ name, bytes: gzipSync(readFileSync(join(assets, name))).length }));
	const kilobytes = (list: typeof sizes) => (list.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000).toFixed(1);
	// The entry imports some of the split parts statically; the others are loaded when they are needed.
	const entry = sizes.find(({ name }) => page.includes(name) && name.endsWith(".js"))?.name ?? "";
	const entryText = readFileSync(join(assets, entry), "utf8");
	const isFirst = (name: string) =>
		page.includes(name) || new RegExp(`(?:from|import)\\s*"\\./${name.replaceAll(".", "\\.")}"`).test(entryText);
	const first = sizes.filter(({ name }) => isFirst(name));
	const later = sizes.filter(({ name }) => !isFirst(name));
	return `bundle, gzipped: ${kilobytes(first)} kB for every page, ${kilobytes(later)} kB of charts when they are needed`;
}

/** Milliseconds from the request to the first contentful paint of the login page, each time in a fresh profile. */
export async function firstPaintText(url: string): Promise<string> {
	const executable = chromiumPath();
	if (executable === null) return "first paint: skipped, no chromium";
	const browser = await launch(executable);
	try {
		const times: number[] = [];
		for (let load = 0; load < LOADS; load++) {
			const context = await browser.newContext();
			const page = await context.newPage();
			await page.goto(url);
			await page.getByLabel("E-mail").waitFor();
			times.push(
				(await page.evaluate(`new Promise((resolve) => {
					new PerformanceObserver((list) => {
						const paint = list.getEntriesByName("first-contentful-paint")[0];
						if (paint) resolve(paint.startTime);
					}).observe({ type: "paint", buffered: true });
				})`)) as number,
			);
			await context.close();
		}
		const sorted = times.sort((a, b) => a - b);
		return `first paint in Chromium: median ${sorted[LOADS / 2]?.toFixed(0)} ms, slowest of ${LOADS} ${sorted.at(-1)?.toFixed(0)} ms`;
	} finally {
		await browser.close();
	}
}
