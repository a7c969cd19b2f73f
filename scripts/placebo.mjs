/**
 * The whole placebo: `npm run placebo [-- seeds]`. On 100 random markets no directional strategy and no side of
 * one may look like an edge in more than five. `npm test` asks the same of a few markets only.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SEEDS = 100;
const HOUR_MS = 3_600_000;
/** Files with a placebo in them; the whole of each is run. */
const FILES = [
	"strategies/placebo.test",
	"strategies/placebo-both-sides.test",
	"strategies/scalping-placebo.test",
	"strategies/market-making.test",
	"strategies/statistical-arbitrage.test",
	"strategies/pairs-trading.test",
	"strategies/options-trade.test",
];

const seeds = Number(process.argv[2] ?? SEEDS);
if (!Number.isInteger(seeds) || seeds < 20) {
	console.error(`at least 20 seeds are needed to ask for 95 %, got ${process.argv[2]}`);
	process.exit(2);
}
const scripts = dirname(fileURLToPath(import.meta.url));
const { status } = spawnSync(process.execPath, [join(scripts, "test.mjs"), ...FILES], {
	stdio: "inherit",
	env: {
		...process.env,
		PLACEBO_SEEDS: String(seeds),
		TEST_FILE_LIMIT_MS: String(2 * HOUR_MS),
		TEST_TOTAL_LIMIT_MS: String(4 * HOUR_MS),
	},
});
process.exitCode = status ?? 1;
