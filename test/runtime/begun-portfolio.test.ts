import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPortfolioAtOnce } from "../../src/effects/fetch-portfolio.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { KeptRoom } from "../../src/runtime/kept-results.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { StoredPortfolio } from "../../src/services.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { Position } from "../../src/strategies/contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, type Given, NOTHING_STORED, quick } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { assumedPortfolio } from "../support/system.ts";

/** A scan that is made as claimed is made with its portfolio where that needs no fetching. */
const portfolios = suite("runtime: portfolios of scans made as claimed");

let redis: TestRedis;
let store: ScanStore;
portfolios.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
portfolios.after(() => redis.close());
const process = (given: Given = {}) => beginner(store, given);
const completed = (scanId: string) => untilRecord(store, scanId, ({ position }) => position === "completed");

portfolios("are known only where all of it follows from what the start has read", async () => {
	const market = { source: { kind: "simulated", name: "simulated:1" } } as MarketData;
	const held: Position = { symbol: "BTC/USDT", quantity: 1, entry_price: null };
	const later = { ...NOTHING_STORED, version: 1, updated_at: "2026-03-01T00:00:00.000Z" };
	const cases: [stored: StoredPortfolio, isKnown: boolean][] = [
		[NOTHING_STORED, true],
		[{ ...later, positions: [held], cash_usd: 5 }, false],
		[later, false],
		// An exchange account was added, which makes a new version and nothing else.
		[{ ...NOTHING_STORED, version: 1 }, false],
	];
	for (const [stored, isKnown] of cases) {
		const asked: unknown[] = [];
		const atOnce = createPortfolioAtOnce({ market });
		const fetchPortfolio = async () => {
			asked.push("effect");
			return assumedPortfolio();
		};
		const portfolioAtOnce: typeof atOnce = (read) => {
			asked.push(read);
			return atOnce(read);
		};
		const { start } = process({ stored, effects: { fetchPortfolio, portfolioAtOnce } });
		await completed(await start());
		assert.equal(asked, isKnown ? [stored] : [stored, "effect"]);
	}
});

portfolios("are kept in hand as long as the scan runs, and no longer", async () => {
	const room = new KeptRoom();
	const lengths: number[] = [];
	const document = () => Promise.reject(new Error("it is in hand"));
	const { start, runtime } = process({
		keptRoom: Object.assign(room, {
			take: (length: number) => lengths.push(length) > 0,
			giveBack: (length: number) => void lengths.push(-length),
		}),
		reader: { ...store.reader, document },
		effects: {
			async evaluateStrategy(effect, context) {
				assert.is((await context.portfolio()).capital_usd, 10_000);
				return { ...(await quick.evaluateStrategy(effect, context)), attachments: {} };
			},
		},
	});
	const scanId = await start();
	await runtime.run(scanId);
	assert.equal(
		(await recordOf(store, scanId)).context.strategies.filter(({ verdict }) => verdict === "failed"),
		[],
	);
	const length = JSON.stringify(assumedPortfolio().attachments.portfolio).length;
	assert.equal(lengths.filter(Boolean), [length, -length]);
});

portfolios("and a scan that is made with its own stands in the next phase when it can first be read", async () => {
	const [go, fetched] = [deferred<void>(), assumedPortfolio()];
	const { start, runtime } = process({
		effects: {
			portfolioAtOnce: () => fetched,
			discoverAssets: (context) => go.promise.then(() => quick.discoverAssets(context)),
		},
	});
	const scanId = await start();
	const { position, context, revision } = await recordOf(store, scanId);
	assert.is(position, "asset_discovery");
	assert.equal(context.portfolio, fetched.portfolio);
	const at = async (seq: number) => replay(context.input, await store.reader.events(scanId, revision), seq);
	const journal = await store.reader.journal(scanId, 0, 1_000);
	const portfolio = journal.filter(({ phase }) => phase === "portfolio_fetch").map(({ seq, type }) => [seq, type]);
	const begins = Number(portfolio[0]?.[0]);
	assert.equal(portfolio, [
		[begins, "phase.started"],
		[begins + 1, "portfolio.fetched"],
		[begins + 2, "phase.completed"],
	]);
	assert.is((await at(begins))?.position, "portfolio_fetch");
	assert.equal((await at(revision))?.context, context);
	go.resolve();
	assert.is(await runtime.run(scanId), "ended");
});

portfolios.run();
