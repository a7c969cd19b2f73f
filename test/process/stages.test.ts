import { suite } from "uvu";
import * as assert from "uvu/assert";
import { silentLogger } from "../../src/log.ts";
import { runShutdown } from "../../src/process/shutdown.ts";
import { type ClosingParts, READINESS_GRACE_MS, shutdownStages } from "../../src/process/stages.ts";
import { bounded, deferred, ManualClock, settled } from "../effects/fake-clock.ts";

const test = suite("stages of the shutdown");

/** Parts that note what is asked of them; what is held back ends when the test says so. */
function parts(held: { drain?: Promise<void>; requests?: Promise<void> } = {}) {
	const clock = new ManualClock();
	const asked: string[] = [];
	const note = (word: string) => async () => void asked.push(word);
	const closing: ClosingParts = {
		app: { beginShutdown: () => void asked.push("refuse") },
		server: {
			close: ((done: () => void) => {
				asked.push("stop listening");
				(held.requests ?? Promise.resolve()).then(() => done());
			}) as never,
			closeIdleConnections: () => undefined,
			closeAllConnections: () => void asked.push("close connections"),
		},
		executor: {
			drain: async () => {
				asked.push("drain");
				await held.drain;
				asked.push("drained");
			},
			close: note("close executor"),
		},
		alerts: { drain: note("drain alerts") },
		watchdog: { stop: note("stop watchdog") },
		queue: { close: note("close queue") },
		market: { close: note("close market") },
		connections: note("close store"),
		redis: { close: note("close redis") },
		clock,
	};
	return { clock, asked, closing, run: () => runShutdown(shutdownStages(closing), clock, silentLogger()) };
}

test(
	"refusing, draining and resting begin in the same moment; the listener stays for the readiness grace",
	bounded(async () => {
		const { clock, asked, run } = parts();
		const done = run();
		assert.equal(asked, ["refuse", "drain", "drain alerts", "stop watchdog"]);
		await clock.advance(READINESS_GRACE_MS - 1, 1);
		assert.not.ok(asked.includes("stop listening"), "/readyz is still to be had");
		assert.ok(asked.includes("close executor"), "scans do not wait for it");
		await clock.advance(1, 1);
		await done;
		assert.equal(asked.slice(-5), ["close connections", "close queue", "close market", "close store", "close redis"]);
	}),
);

test(
	"what scans need closes only after the last of them was handed over, and after the last request",
	bounded(async () => {
		const [drain, requests] = [deferred<void>(), deferred<void>()];
		const { clock, asked, run } = parts({ drain: drain.promise, requests: requests.promise });
		const done = run();
		await clock.advance(READINESS_GRACE_MS);
		requests.resolve();
		await settled();
		assert.ok(asked.includes("close connections"));
		assert.not.ok(asked.includes("close queue"));
		drain.resolve();
		await done;
		assert.is(asked.at(-1), "close redis");
	}),
);

test(
	"with everything hanging it is over before the total",
	bounded(async () => {
		const hang = new Promise<void>(() => undefined);
		const { clock, asked, closing, run } = parts({ drain: hang, requests: hang });
		closing.queue.close = closing.market.close = closing.connections = () => hang;
		const startedAtMs = clock.now();
		const done = run();
		await clock.advance(19_000);
		const ends = await done;
		assert.ok(asked.includes("close redis"));
		assert.equal(
			ends.filter(({ end }) => end === "skipped"),
			[],
		);
		assert.ok(clock.now() - startedAtMs < 20_000);
	}),
);

test(
	"a process that does not listen waits for no grace",
	bounded(async () => {
		const { asked, closing, run } = parts();
		closing.server = null;
		await run();
		assert.not.ok(asked.includes("refuse"));
		assert.is(asked.at(-1), "close redis");
	}),
);

test.run();
