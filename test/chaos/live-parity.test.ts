/** The built program on `ccxt:binance` with a replay exchange answers like the one on the recorded set itself. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
	Client,
	hasRecordedMarket,
	isEnded,
	MARKET_DIR,
	RECORDED,
	startProgram,
	stopPrograms,
} from "../support/program.ts";
import { createReplayExchange, type ReplayExchange } from "../support/replay-exchange/exchange.ts";

const test = suite("program: a live exchange and its recording");
const present = hasRecordedMarket();
if (!present) process.stdout.write("  skipped: the shared data set is not beside the project\n");
const real = present ? test : test.skip;
const ADMIN_PASSWORD = "correct horse";

let exchange: ReplayExchange;
test.after(async () => {
	await stopPrograms();
	if (present) await exchange.close();
});

/** Parts of the results that name no scan, user, source or duration. */
const PARTS = [
	"total_opportunities",
	"strategy_results",
	"signal_analysis",
	"threshold_transparency",
	"strategy_performance",
	"asset_discovery",
	"opportunities",
	"unproven",
] as const;
const TIMES = new Set(["duration_ms", "execution_time_ms", "data_source", "started_at", "ended_at", "discovered_at"]);

async function scanOf(env: Record<string, string>): Promise<Record<string, unknown>> {
	const program = await startProgram({ ADMIN_PASSWORD, ...env }, { waitMs: 90_000 });
	const client = new Client([program.url]);
	assert.is((await client.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
	const started = await client.post("/opportunities/discover");
	await client.poll(started.body.scan_id, isEnded);
	const { body } = await client.get(`/opportunities/results/${started.body.scan_id}`);
	program.kill("SIGTERM");
	await program.ended();
	const plain = JSON.stringify(body, (key, value) => (TIMES.has(key) ? null : value));
	return JSON.parse(plain);
}

real("the same rows, rejections and assets, within the published limits", async () => {
	exchange = await createReplayExchange({ dir: MARKET_DIR, asOfMs: Date.parse(RECORDED.MARKET_AS_OF) });
	const live = await scanOf({ MARKET: "ccxt:binance", MARKET_BASE_URL: exchange.baseUrl });
	const recorded = await scanOf(RECORDED);
	assert.ok((recorded.opportunities as unknown[]).length > 0);
	for (const part of PARTS) assert.equal(live[part], recorded[part], part);
	const refused = Object.values(exchange.stats().by_endpoint).flatMap(({ statuses }) =>
		Object.keys(statuses).filter((status) => status !== "200"),
	);
	assert.equal(refused, []);
});

test.run();
