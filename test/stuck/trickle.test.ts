import { once } from "node:events";
import { createServer, get, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withCache } from "../../src/market/cached.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { MarketError } from "../../src/market/contract.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";
import { fakeMarket, series } from "../effects/fake-market.ts";

const trickle = suite("stuck: a source that trickles");
const AS_OF = Date.UTC(2026, 2, 19, 19);
const LIMIT_MS = 20_000;

let server: Server;
let url: string;
let open: ServerResponse[] = [];

trickle.before(async () => {
	server = createServer((_, response) => {
		response.write("[");
		open.push(response);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
trickle.after(() => {
	server.closeAllConnections();
	server.close();
});

/** One more byte of every answer; none of them ever ends. */
async function drip(): Promise<void> {
	for (const response of open) response.write(" ");
	await settled();
}

/** A source that waits for the end of an answer, whatever its signal says. */
const patientRead = (received: () => void): Promise<never> =>
	new Promise((_, reject) => {
		const request = get(url, (response) => {
			response.on("data", received);
			response.on("end", () => reject(new Error("it ended")));
		});
		request.on("error", () => undefined);
	});

/** The market: BTC trickles, every other symbol answers. One call at a time, so that a place matters. */
function setUp() {
	let bytes = 0;
	const arrived = () => {
		bytes += 1;
	};
	const source = fakeMarket({
		candles: (symbol: string) => (symbol === "BTC/USDT" ? patientRead(arrived) : Promise.resolve(series(symbol))),
	}) as unknown as MarketData;
	const clock = new ManualClock();
	const market = withCache(source, { venueConcurrencyMax: 1, readLimitMs: LIMIT_MS, clock });
	const read = (symbol: string) =>
		market.candles(symbol, "1d", { signal: new AbortController().signal, as_of_ms: AS_OF }).then(
			() => "read",
			(error: unknown) => error,
		);
	return { clock, read, bytes: () => bytes };
}

trickle(
	"the call is ended at its limit although bytes arrive, for everybody who joined it, and its place is free",
	async () => {
		open = [];
		const { clock, read, bytes } = setUp();
		const first = read("BTC/USDT");
		const other = read("ETH/USDT");
		while (open.length === 0) await settled();
		await clock.advance(LIMIT_MS - 100, 1_000);
		await drip();
		// Who comes late joins the call that is under way and must not make it live longer.
		const joined = read("BTC/USDT");
		while (bytes() < 2) await drip();
		await clock.advance(200);
		for (const outcome of [await first, await joined]) {
			assert.instance(outcome, MarketError);
			assert.is((outcome as MarketError).code, "timeout");
			assert.is((outcome as MarketError).retryable, true);
		}
		assert.is(await other, "read", "the next call has the place");
		assert.is(clock.armed(), 0);
		// Asked again, the source gets a new call: the old one is not waited for.
		const again = read("BTC/USDT");
		while (open.length < 2) await settled();
		await clock.advance(LIMIT_MS + 100, 1_000);
		assert.is(((await again) as MarketError).code, "timeout");
	},
);

trickle.run();
