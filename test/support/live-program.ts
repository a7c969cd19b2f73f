/** The built program on `ccxt:binance`, whose exchange is a replay of a small set from a seed. */
import * as assert from "uvu/assert";
import { Client, isEnded, type Program, type Reply, startProgram } from "./program.ts";
import { type RecordedFixture, writeRecordedFixture } from "./recorded-fixture.ts";
import { createReplayExchange, type ReplayExchange } from "./replay-exchange/exchange.ts";
import type { FaultInput } from "./replay-exchange/faults.ts";
import { replaySet } from "./replay-set.ts";

export const COINS = ["BTC", "ETH", "SOL", "XRP", "ADA", "NEAR"].map((base) => `${base}USDT`);
const ADMIN_PASSWORD = "correct horse";
const UNLIMITED = { spot: 1e9, usdm: 1e9, usdm_funding: 1e9, usdm_data: 1e9 };

/** Six spot markets and three contracts, of which the last has no candles. */
export const writeLiveSet = (): Promise<RecordedFixture> =>
	writeRecordedFixture(replaySet({ seed: 5, hours: 60, days: 520, spot: COINS, perps: COINS.slice(0, 3) }));

export interface LiveProgram {
	exchange: ReplayExchange;
	client: Client;
	/** The results of a scan of these strategies, once it has ended. */
	scan(strategyIds: readonly string[]): Promise<Reply["body"]>;
	close(): Promise<void>;
}

/** The faults are there before the program is. */
export async function startLiveProgram(
	dir: string,
	faults: readonly FaultInput[],
	env: Record<string, string> = {},
): Promise<LiveProgram> {
	const exchange = await createReplayExchange({ dir, banAfter: 1e9, limits: UNLIMITED });
	let program: Program | null = null;
	const close = async () => {
		program?.kill("SIGTERM");
		await program?.ended();
		await exchange.close();
	};
	try {
		exchange.addFaults(...faults);
		const live = { MARKET: "ccxt:binance", MARKET_BASE_URL: exchange.baseUrl };
		program = await startProgram({ ADMIN_PASSWORD, ...live, ...env }, { waitMs: 90_000 });
		const client = new Client([program.url]);
		assert.is((await client.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
		const scan: LiveProgram["scan"] = async (strategy_ids) => {
			const { body } = await client.post("/opportunities/discover", { strategy_ids, force_refresh: true });
			await client.poll(body.scan_id, isEnded);
			return (await client.get(`/opportunities/results/${body.scan_id}`)).body;
		};
		return { exchange, client, scan, close };
	} catch (error) {
		await close();
		throw error;
	}
}

/** `verdict reason` of each strategy, without the reason where there is none. */
export const verdictsOf = (results: Reply["body"]): Record<string, string> =>
	Object.fromEntries(
		(results.strategy_results ?? []).map(
			({ strategy_id, verdict, reason }: { strategy_id: string; verdict: string; reason: string | null }) => [
				strategy_id,
				reason === null ? verdict : `${verdict} ${reason}`,
			],
		),
	);
