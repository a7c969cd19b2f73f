import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { sampleRow } from "../support/records.ts";
import { foundReport, never } from "../support/system.ts";

const history = suite("API: list, journal, state at an entry, diff");

let world: LiveWorld;
let api: TestApi;
history.before(async () => {
	world = await startLiveWorld();
	api = await world.api({ config: { rate: { discoverMax: 1_000, onboardMax: 10, otherMax: 100_000 } } });
});
history.after(() => world.stop());

const MOMENTUM = "ai_spot_momentum_strategy";
const DISCOVER = "/api/v1/opportunities/discover";
const LIST = "/api/v1/opportunities/scans";
type Json = Record<string, unknown>;

/** Every strategy finds one row of this symbol. */
const rowsOf = (symbol: string, profit = 10): Partial<Effects> => ({
	async evaluateStrategy(effect) {
		const id = `${effect.strategy_id}-row`;
		const row = sampleRow(id, { strategy_id: effect.strategy_id, symbol, profit_potential_usd: profit });
		return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
	},
});

async function scanOf(token: string, effects: Partial<Effects> | null, body: Json = {}): Promise<string> {
	const started = await api.call("POST", DISCOVER, { token, body: { force_refresh: true, ...body } });
	assert.is(started.status, 200, started.text);
	const scanId = String(started.json["scan_id"]);
	if (effects) await world.runtime(effects).run(scanId);
	return scanId;
}

const list = async (token: string, query = ""): Promise<Json & { scans: Json[] }> => {
	const answer = await api.call("GET", `${LIST}${query}`, { token });
	assert.is(answer.status, 200, answer.text);
	return answer.json as Json & { scans: Json[] };
};
const ids = ({ scans }: { scans: Json[] }) => scans.map((scan) => scan["scan_id"]);

history(
	"a scan is listed from the moment its start was answered, and found by status, strategy, symbol and time",
	within(30_000, async () => {
		const { token } = await api.userWith("trader");
		const btc = await scanOf(token, rowsOf("BTC/USDT"), { symbols: "BTC" });
		const pair = await scanOf(token, rowsOf("ETH-LINK"), { strategy_ids: "pairs_trading,spot_momentum_strategy" });
		const failed = await scanOf(token, { fetchPortfolio: () => Promise.reject(new Error("down")) }, { symbols: "ADA" });
		const cancelled = await scanOf(token, null, { symbols: "DOGE" });
		await api.call("POST", `${LIST}/${cancelled}/cancel`, { token });
		const running = await scanOf(token, null, { symbols: "SOL" });
		const all = await list(token);
		assert.equal(ids(all), [running, cancelled, failed, pair, btc]);
		assert.is(all["has_more"], false);
		assert.is(all["next_cursor"], null);
		assert.is(all.scans[4]?.["total_opportunities"], 3);
		assert.equal(ids(await list(token, "?status=scanning")), [running]);
		assert.equal(ids(await list(token, "?status=complete")), [pair, btc]);
		assert.equal(ids(await list(token, "?status=failed")), [failed]);
		assert.equal(ids(await list(token, "?status=cancelled")), [cancelled]);
		assert.equal(ids(await list(token, "?symbol=link")), [pair]);
		assert.equal(ids(await list(token, "?symbol=BTCUSDT")), [btc]);
		assert.equal(ids(await list(token, "?symbol=SOL")), [running], "by its filter");
		assert.equal(ids(await list(token, `?strategy=${MOMENTUM}`)), [pair, btc]);
		assert.equal(ids(await list(token, "?strategy=AI%20Mean%20Reversion")), [btc]);
		const at = all.scans.map((scan) => String(scan["accepted_at"]));
		assert.equal(
			ids(await list(token, `?from=${at[2]}&to=${at[0]}`)),
			[cancelled, failed],
			"from inclusive, to exclusive",
		);
		assert.equal(await list(token), all, "what was remembered says the same");
		for (const wrong of ["?limit=0", "?limit=101", "?status=done", "?cursor=nonsense", "?from=yesterday"]) {
			assert.is((await api.call("GET", LIST + wrong, { token })).status, 422, wrong);
		}
		const stranger = await api.userWith("trader");
		assert.equal(ids(await list(stranger.token)), []);
	}),
);

history(
	"a row of an older version without a symbol takes no scan out of the list",
	within(30_000, async () => {
		const { token } = await api.userWith("trader");
		const strange = [{ symbol: undefined }, { symbol: null }, { symbol: 7 }];
		const scans: string[] = [];
		for (const fields of strange) {
			const effects: Partial<Effects> = {
				async evaluateStrategy(effect) {
					const id = `${effect.strategy_id}-row`;
					const row = { ...sampleRow(id, { strategy_id: effect.strategy_id }), ...fields };
					return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
				},
			};
			scans.unshift(await scanOf(token, effects));
		}
		assert.equal(ids(await list(token)), scans);
		assert.equal(ids(await list(token, "?symbol=BTC")), []);
	}),
);

history(
	"pages are stable while new scans arrive, also when scans were accepted in the same millisecond",
	within(30_000, async () => {
		const { token } = await api.userWith("trader");
		const started = await Promise.all(
			Array.from({ length: 7 }, (_, i) => api.call("POST", DISCOVER, { token, body: { symbols: `C${i}` } })),
		);
		const whole = ids(await list(token));
		assert.equal(new Set(whole), new Set(started.map(({ json }) => json["scan_id"])));
		const seen: unknown[] = [];
		let cursor: unknown = "";
		for (let page = 0; cursor !== null && page < 10; page++) {
			const answer = await list(token, `?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
			seen.push(...ids(answer));
			assert.is(answer["has_more"], answer["next_cursor"] !== null);
			cursor = answer["next_cursor"];
			await api.call("POST", DISCOVER, { token, body: { symbols: `N${page}` } });
		}
		assert.equal(seen, whole);
	}),
);

history(
	"the journal is read in pages without holes; rows stand in it whole",
	within(20_000, async () => {
		const { token } = await api.userWith("trader");
		const scanId = await scanOf(token, rowsOf("BTC/USDT"));
		const path = `/api/v1/scan-diagnostics/scan-journal/${scanId}`;
		const entries: Json[] = [];
		for (let after = 0, more = true; more; ) {
			const page = await api.call("GET", `${path}?after=${after}&limit=7`, { token });
			assert.is(page.status, 200, page.text);
			entries.push(...(page.json["entries"] as Json[]));
			after = Number(page.json["next_after"]);
			more = page.json["has_more"] === true;
		}
		assert.equal(
			entries.map((entry) => entry["seq"]),
			entries.map((_, i) => i + 1),
		);
		const found = entries.find((entry) => entry["type"] === "strategy.row_found")?.["payload"] as Json;
		assert.is((found["opportunity"] as Json)["symbol"], "BTC/USDT");
		const settled = entries.find(
			(entry) => entry["type"] === "strategy.settled" && entry["strategy_id"] === MOMENTUM,
		)?.["payload"] as Json;
		assert.is(settled["strategy_name"], "AI Momentum Trading");
		const end = entries.at(-1)?.["payload"] as Json;
		const status = await api.call("GET", `/api/v1/opportunities/status/${scanId}`, { token });
		for (const [name, value] of Object.entries(status.json)) assert.equal(end[name], value, name);
	}),
);

history(
	"any entry shows the state at that moment; the last one is the record itself",
	within(30_000, async () => {
		const { token } = await api.userWith("trader");
		const scanId = await scanOf(token, rowsOf("BTC/USDT"));
		const path = `/api/v1/scan-diagnostics/scan-journal/${scanId}`;
		const record = await world.store.reader.read(scanId);
		const last = record?.revision ?? 0;
		const at = async (seq: number) => {
			const answer = await api.call("GET", `${path}/${seq}`, { token });
			assert.is(answer.status, 200, answer.text);
			return answer.json as { state: { value: string; context: Json }; view: Json; type: string };
		};
		const states = await Promise.all(Array.from({ length: last }, (_, i) => at(i + 1)));
		assert.is(states[0]?.state.value, "queued");
		assert.equal(states.at(-1)?.state, { value: "completed", context: JSON.parse(JSON.stringify(record?.context)) });
		const status = await api.call("GET", `/api/v1/opportunities/status/${scanId}`, { token });
		assert.equal(states.at(-1)?.view, status.json);
		let completed = 0;
		for (const { view } of states) {
			const progress = view["progress"] as { strategies_completed: number };
			assert.ok(progress.strategies_completed >= completed, "counters never fall along the journal");
			completed = progress.strategies_completed;
		}
		assert.ok(completed > 0);
		for (const seq of [0, last + 1, 1e9, "x"]) {
			const answer = await api.call("GET", `${path}/${seq}`, { token });
			assert.is(answer.json["code"], "journal_entry_not_found", String(seq));
		}
	}),
);

history(
	"a diff names what is new, gone and changed, and refuses a running scan",
	within(30_000, async () => {
		const { token } = await api.userWith("trader");
		const a = await scanOf(token, rowsOf("BTC/USDT", 10));
		const b = await scanOf(token, {
			async evaluateStrategy(effect, context) {
				if (effect.strategy_id !== MOMENTUM)
					return rowsOf("BTC/USDT", 12).evaluateStrategy?.(effect, context) ?? never(context.signal);
				const id = "brand-new-row";
				const row = sampleRow(id, { strategy_id: effect.strategy_id, symbol: "ETH/USDT" });
				const report = { ...foundReport(effect) } as ReturnType<typeof foundReport> & { tally: { row_ids: string[] } };
				return {
					report: { ...report, tally: { ...report.tally, row_ids: [id] } } as typeof report,
					attachments: { rows: new Map([[id, row]]) },
				};
			},
		});
		const diff = await api.call("GET", `/api/v1/scan-diagnostics/scan-diff?a=${a}&b=${b}`, { token });
		assert.is(diff.status, 200, diff.text);
		const { added, removed, changed } = diff.json["opportunities"] as {
			added: Json[];
			removed: Json[];
			changed: Json[];
		};
		assert.equal(
			added.map((row) => row["opportunity_id"]),
			["brand-new-row"],
		);
		assert.equal(
			removed.map((row) => row["opportunity_id"]),
			[`${MOMENTUM}-row`],
		);
		assert.is(changed.length, 2);
		assert.equal(changed[0]?.["fields"], { profit_potential_usd: [10, 12] });
		assert.is(diff.json["same_filters"], true);
		const running = await scanOf(token, null);
		const early = await api.call("GET", `/api/v1/scan-diagnostics/scan-diff?a=${a}&b=${running}`, { token });
		assert.is(early.json["code"], "scan_not_terminal");
		const stranger = await api.userWith("trader");
		const theirs = await api.call("GET", `/api/v1/scan-diagnostics/scan-diff?a=${a}&b=${b}`, { token: stranger.token });
		assert.is(theirs.status, 404);
		const admin = await api.userWith("admin");
		const seen = await api.call("GET", `/api/v1/scan-diagnostics/scan-diff?a=${a}&b=${b}`, { token: admin.token });
		assert.is(seen.status, 200, "operators may look at anyone's scans");
	}),
);

history.run();
