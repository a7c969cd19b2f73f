import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { type TestApi, within } from "../support/api.ts";
import { openEvents, type StreamEvent } from "../support/event-stream.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { quickEffects } from "../support/system.ts";

const events = suite("API: events of a scan");

let world: LiveWorld;
let first: TestApi;
let second: TestApi;
events.before(async () => {
	world = await startLiveWorld();
	[first, second] = [await world.api(), await world.api()];
});
events.after(() => world.stop());

const pathOf = (scanId: string) => `/api/v1/opportunities/scans/${scanId}/events`;

async function newScan(): Promise<{ token: string; scanId: string }> {
	const { token } = await first.userWith("trader");
	const started = await first.call("POST", "/api/v1/opportunities/discover", { token });
	return { token, scanId: String(started.json["scan_id"]) };
}

/** Effects whose strategies wait for a word. */
function held(): { effects: Partial<Effects>; go: () => void } {
	let go: () => void = () => {};
	const told = new Promise<void>((resolve) => {
		go = resolve;
	});
	return {
		go,
		effects: {
			async evaluateStrategy(effect, context) {
				await told;
				return quickEffects().evaluateStrategy(effect, context);
			},
		},
	};
}

async function collect(stream: AsyncGenerator<StreamEvent>, until: (event: StreamEvent) => boolean = () => false) {
	const seen: StreamEvent[] = [];
	for await (const event of stream) {
		seen.push(event);
		if (until(event)) break;
	}
	return seen;
}

events(
	"the first event stands before any work; the rest comes live; the end closes the stream",
	within(20_000, async () => {
		const { token, scanId } = await newScan();
		const stream = await openEvents(first, pathOf(scanId), token);
		assert.is(stream.status, 200);
		assert.match(String(stream.headers["content-type"]), /^text\/event-stream/);
		assert.is(stream.headers["cache-control"], "no-cache, no-transform");
		assert.is(stream.headers["x-accel-buffering"], "no");
		assert.is((await stream.events.next()).value.event, "scan.created");
		const { effects, go } = held();
		const run = world.runtime(effects).run(scanId);
		const before = await collect(stream.events, ({ event }) => event === "strategy.started");
		assert.ok(before.some(({ event }) => event === "portfolio.fetched"));
		go();
		const rest = await openEvents(second, pathOf(scanId), token, { "last-event-id": String(before.at(-1)?.id) });
		const tail = await collect(rest.events);
		await run;
		assert.is(tail.at(-1)?.event, "end");
		assert.is(tail.at(-2)?.event, "scan.completed");
		assert.is((JSON.parse(tail.at(-2)?.data ?? "{}") as { payload: { status: string } }).payload.status, "complete");
		const journal = await first.call("GET", `/api/v1/scan-diagnostics/scan-journal/${scanId}?limit=500`, { token });
		const entries = journal.json["entries"] as { seq: number }[];
		const all = ["1", ...before.map(({ id }) => id), ...tail.slice(0, -1).map(({ id }) => id)];
		assert.equal(
			all,
			entries.map(({ seq }) => String(seq)),
			"gap-free and without repeats over two processes",
		);
		const row = tail.find(({ event }) => event === "strategy.row_found");
		assert.ok((JSON.parse(row?.data ?? "{}") as { payload: { opportunity?: object } }).payload.opportunity);
	}),
);

events(
	"whatever number a reader comes back with, it gets exactly what follows, on any process",
	within(30_000, async () => {
		const { token, scanId } = await newScan();
		await world.runtime().run(scanId);
		const whole = await collect((await openEvents(first, pathOf(scanId), token)).events);
		const last = whole.length - 1;
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: 0, max: last - 1 }), fc.boolean(), async (after, byHeader) => {
				const api = after % 2 === 0 ? first : second;
				const path = byHeader ? pathOf(scanId) : `${pathOf(scanId)}?after=${after}`;
				const stream = await openEvents(api, path, token, byHeader ? { "last-event-id": String(after) } : {});
				assert.equal(await collect(stream.events), whole.slice(after));
			}),
			{ numRuns: 15 },
		);
		const done = await openEvents(first, `${pathOf(scanId)}?after=${last}`, token);
		assert.is(done.status, 204, "nothing is missing");
		done.close();
	}),
);

events(
	"a stranger, a wrong number and one stream too many are refused",
	within(20_000, async () => {
		const { token, scanId } = await newScan();
		const stranger = await first.userWith("trader");
		const theirs = await first.call("GET", pathOf(scanId), { token: stranger.token });
		assert.is(theirs.status, 404);
		const wrong = await first.call("GET", pathOf(scanId), { token, headers: { "last-event-id": "x" } });
		assert.is(wrong.status, 422);
		const open = await Promise.all(Array.from({ length: 10 }, () => openEvents(first, pathOf(scanId), token)));
		const over = await first.call("GET", pathOf(scanId), { token });
		assert.is(over.status, 503);
		assert.is(over.json["code"], "overloaded");
		assert.ok(Number(over.headers["retry-after"]) >= 1);
		for (const stream of open) {
			await stream.events.next();
			stream.close();
		}
		// A closed connection gives its place back; the server learns of it in its own time.
		let again = await openEvents(first, pathOf(scanId), token);
		for (let tries = 0; again.status !== 200 && tries < 100; tries++) {
			await new Promise((resolve) => setImmediate(resolve));
			again = await openEvents(first, pathOf(scanId), token);
		}
		assert.is(again.status, 200);
		again.close();
	}),
);

events(
	"a stopping process ends its streams at once and the reader goes on elsewhere",
	within(20_000, async () => {
		const leaving = await world.api();
		const { token, scanId } = await newScan();
		const stream = await openEvents(leaving, pathOf(scanId), token);
		assert.is((await stream.events.next()).value.event, "scan.created");
		leaving.app.beginShutdown();
		assert.equal(await collect(stream.events), [], "no end is told that has not come");
		const next = await openEvents(second, `${pathOf(scanId)}?after=1`, token);
		await world.runtime().run(scanId);
		assert.is((await collect(next.events)).at(-1)?.event, "end");
	}),
);

events.run();
