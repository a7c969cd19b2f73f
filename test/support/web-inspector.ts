import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { Effects } from "../../src/effects/contract.ts";
import type { TestApi } from "./api.ts";
import { startLiveWorld } from "./live-api.ts";
import { sampleRow } from "./records.ts";
import { tally } from "./scan-input.ts";
import { builtDashboard, launch, openPage, signIn, type WatchedPage } from "./web-page.ts";

/** Text that would run if it were not shown as text. */
export const HOSTILE = `<img src=x onerror="window.pwned=1">`;
/** Rows that each of three strategies finds in the large scan. */
export const ROWS = 190;
export const DISCOVER = "/api/v1/opportunities/discover";

/** The dashboard as developers and operators have it: a browser before a real API with two scans that have ended. */
export interface InspectorWorld {
	api: TestApi;
	browser: Browser;
	origin: string;
	/** A folder for files that a test keeps. */
	folder: string;
	owner: { email: string; token: string };
	/** A scan with more than 500 journal entries, and its last entry's number. */
	scanId: string;
	last: number;
	/** A scan of few rows. */
	smallId: string;
	/** A page of its own, signed in. `expected`: statuses that the test provokes. */
	open(email: string, hash: string, expected?: readonly number[]): Promise<WatchedPage>;
	stop(): Promise<void>;
}

/** Every strategy finds so many rows, with names that would run if they were not text. */
const finding = (count: number): Partial<Effects> => ({
	async evaluateStrategy({ strategy_id, attempt }) {
		const ids = Array.from({ length: count }, (_, i) => `${strategy_id}-${i}`);
		const rows = new Map(ids.map((id) => [id, sampleRow(id, { strategy_id, symbol: HOSTILE })]));
		const counts = tally({ candidates_total: count, evaluated: count, row_ids: ids });
		return { report: { strategy_id, attempt, kind: "finished", degraded: null, tally: counts }, attachments: { rows } };
	},
});

export async function startInspectorWorld(chromium: string): Promise<InspectorWorld> {
	const folder = mkdtempSync(join(tmpdir(), "web-"));
	const world = await startLiveWorld();
	const api = await world.api({ config: { staticDir: await builtDashboard() } });
	const origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
	const owner = await api.userWith("trader");
	const scanWith = async (effects: Partial<Effects>, symbols: string) => {
		const started = await api.call("POST", DISCOVER, { token: owner.token, body: { symbols } });
		const id = String(started.json["scan_id"]);
		await world.runtime(effects).run(id);
		return id;
	};
	const smallId = await scanWith(finding(2), "ETH");
	const scanId = await scanWith(finding(ROWS), "BTC");
	const page = await api.call("GET", `/api/v1/scan-diagnostics/scan-journal/${scanId}?limit=1`, { token: owner.token });
	const browser = await launch(chromium);
	return {
		api,
		browser,
		origin,
		folder,
		owner,
		scanId,
		smallId,
		last: Number(page.json["last_seq"]),
		async open(email, hash, expected = []) {
			const watched = await openPage(browser, origin, { expected });
			await signIn(watched.page, origin, email, hash);
			return watched;
		},
		async stop() {
			await browser.close();
			await world.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
