import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import type { TestApi } from "./api.ts";
import { type LiveWorld, startLiveWorld } from "./live-api.ts";
import { builtDashboard, launch, openPage, signIn, type WatchedPage } from "./web-page.ts";
import { effectsFinding, type Found, fakeBars } from "./web-scans.ts";

/** The dashboard as a trader has it: a browser before a real API, scans run when a test says so. */
export interface TraderWorld {
	world: LiveWorld;
	api: TestApi;
	browser: Browser;
	origin: string;
	/** Scans that were started and that no runtime has run yet, oldest first. */
	started: string[];
	/** A new trader, signed in by the form. */
	signedIn(options?: Parameters<typeof openPage>[2], hash?: string): Promise<WatchedPage & { token: string }>;
	/** Starts a scan by the API, without running it. */
	startOf(token: string, body?: object): Promise<string>;
	/** Starts a scan by the API and runs it to its end. */
	endedScan(token: string, found: Found, body?: object): Promise<string>;
	stop(): Promise<void>;
}

export async function startTraderWorld(chromium: string): Promise<TraderWorld> {
	const world = await startLiveWorld();
	const started: string[] = [];
	const enqueue = async (scanId: string) => void started.push(scanId);
	const staticDir = await builtDashboard();
	const api = await world.api({ config: { staticDir }, enqueue, market: fakeBars, streamsMax: 50 });
	const origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
	const browser = await launch(chromium);
	const startOf: TraderWorld["startOf"] = async (token, body = {}) =>
		String((await api.call("POST", "/api/v1/opportunities/discover", { token, body })).json["scan_id"]);
	return {
		world,
		api,
		browser,
		origin,
		started,
		startOf,
		async signedIn(options = {}, hash = "#/") {
			const { email, token } = await api.userWith("trader");
			const watched = await openPage(browser, origin, options);
			await signIn(watched.page, origin, email, hash);
			return { ...watched, token };
		},
		async endedScan(token, found, body = {}) {
			const scanId = await startOf(token, body);
			await world.runtime(effectsFinding(found)).run(scanId);
			return scanId;
		},
		async stop() {
			await browser.close();
			await world.stop();
		},
	};
}
