/** The time of exchanges that have no request for it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../../src/clock.ts";
import { createAnswerDates, createClosedBy } from "../../../src/market/ccxt/dates.ts";
import { openVenue } from "../../../src/market/ccxt/venue.ts";
import { openGate } from "../../../src/market/gate.ts";

const test = suite("market/ccxt/dates");
const signal = AbortSignal.timeout(30_000);
const DATE_MS = Date.UTC(2026, 2, 18, 12);

test("the newest date of an answer goes on with our clock; one that cannot be read is none", () => {
	const clock = { ms: 5_000, now: () => clock.ms, setTimeout: () => null, clearTimeout: () => undefined };
	const dates = createAnswerDates(clock);
	dates.note(new Headers());
	dates.note(new Headers({ date: "soon" }));
	assert.is(dates.now(), null);
	dates.note(new Headers({ date: new Date(DATE_MS).toUTCString() }));
	clock.ms += 1_234;
	assert.is(dates.now(), DATE_MS + 1_234);
	clock.ms -= 60_000;
	assert.is(dates.now(), DATE_MS);
});

test("an answer whose date contradicts our idea of the exchange's time makes one request for it, and no other does", async () => {
	const clock = { ms: 5_000, now: () => clock.ms, setTimeout: () => null, clearTimeout: () => undefined };
	const dates = createAnswerDates(clock);
	let [asked, server_ms] = [0, 7_000_000];
	const closedBy = createClosedBy(clock, dates, async () => {
		asked++;
		return server_ms;
	});
	assert.is(await closedBy(9_000_000, true), 9_000_000);
	dates.note(new Headers({ date: new Date(DATE_MS).toUTCString() }));
	// The exchange lives in another time than the server before it.
	dates.told(server_ms);
	assert.is(await closedBy(7_000_900, true), 7_000_900);
	assert.is(asked, 0);
	assert.equal(await Promise.all([closedBy(7_060_000, false), closedBy(7_000_000, true)]), [7_000_000, 7_000_000]);
	assert.equal(await Promise.all([closedBy(7_060_000, false), closedBy(7_030_000, true)]), [7_000_000, 7_000_000]);
	assert.is(asked, 2);
	// An answer from before the exchange told its time shows what was then.
	dates.told(6_000_000);
	const late = createClosedBy(clock, dates, async () => {
		clock.ms += 300;
		return server_ms;
	});
	assert.equal([await late(7_000_000, true), await late(7_000_000, false)], [7_000_000 - 300, 7_000_000]);
	dates.told(server_ms);
	// Its clock was set: it is believed.
	server_ms = 8_000_000;
	assert.is(await closedBy(7_060_000, false), 7_060_000);
});

test("an exchange without a request for its time tells it with its list of markets", async () => {
	const requests: string[] = [];
	const server = createServer((request, response) => {
		requests.push(request.url ?? "");
		response.writeHead(200, { "content-type": "application/json", date: new Date(DATE_MS).toUTCString() });
		response.end(JSON.stringify({ id: 1, method: "public/get-instruments", code: 0, result: { data: [] } }));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const venue = await openVenue({ id: "cryptocom", baseUrl, gate: openGate, clock: systemClock });
	for (let i = 0; i < 2; i++) {
		const told = (await venue.time({}, signal)) ?? 0;
		assert.ok(told >= DATE_MS && told < DATE_MS + 20_000, new Date(told).toISOString());
	}
	assert.is(requests.length, 1);
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	// Away it tells nothing, and that is no time of ours.
	const away = await openVenue({ id: "cryptocom", baseUrl, gate: openGate, clock: systemClock });
	assert.is(await away.time({}, signal).catch((error: { code: string }) => error.code), "fetch_failed");
});

test.run();
