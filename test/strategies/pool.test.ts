import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { createEvaluationPool, EvaluationPoolError } from "../../src/strategies/pool.ts";
import { deferred } from "../effects/fake-clock.ts";
import { requestOf, trendingSeries } from "../support/synthetic-market.ts";
import { within } from "../support/wait.ts";

const test = suite("evaluation pool");
const series = Array.from({ length: 8 }, (_, i) => trendingSeries(`C${i}/USDT`, 1000, 100 + i));
const request = requestOf({ strategyId: "ai_spot_momentum_strategy", series });
const open = new AbortController().signal;

const failure = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => assert.unreachable("it should fail"),
		(error: unknown) => error,
	);

test("a thread gives what this thread gives, over shared memory", async () => {
	const pool = createEvaluationPool({ threads: 1 });
	try {
		assert.ok(series.every((one) => one.close.buffer instanceof SharedArrayBuffer));
		const answer = await pool.evaluate(request, open);
		assert.equal(answer, evaluate(request));
		assert.equal(await pool.evaluate(request, open), answer);
	} finally {
		await pool.close();
	}
});

test("a strategy comes back to the thread that knows it; one that was ended is replaced by one that knows nothing", async () => {
	const workerFile = new URL("./support/telling-worker.ts", import.meta.url).href;
	// However slow the machine, nobody's patience ends.
	const pool = createEvaluationPool({ threads: 2, workerFile, arm: () => () => {} });
	const threadsOf = async (ids: readonly string[]) =>
		(await Promise.all(ids.map((strategy_id) => pool.evaluate({ ...request, strategy_id }, open)))).map(
			(told) => (told as unknown as { thread: number }).thread,
		);
	try {
		const ids = ["a", "b", "c", "d", "e", "f"];
		const first = await threadsOf(ids);
		assert.is(new Set(first).size, 2, "both threads are used");
		for (let round = 0; round < 3; round++) assert.equal(await threadsOf(ids), first);

		const crowded = first.find((thread, at) => first.indexOf(thread) < at);
		const [stopped = "", beside = ""] = ids.filter((_, at) => first[at] === crowded);
		const controller = new AbortController();
		const ended = failure(pool.evaluate({ ...request, strategy_id: stopped }, controller.signal));
		await new Promise(setImmediate);
		controller.abort(new Error("cancelled"));
		await ended;
		// Both had the thread that was ended; now neither has one.
		assert.is(new Set(await threadsOf([stopped, beside])).size, 2);
	} finally {
		await pool.close();
	}
});

test("an abort rejects with the signal's reason and the pool goes on", async () => {
	const pool = createEvaluationPool({ threads: 1 });
	try {
		const controller = new AbortController();
		const reason = new Error("the scan was cancelled");
		const running = failure(pool.evaluate(request, controller.signal));
		controller.abort(reason);
		assert.is(await running, reason);
		assert.is(await failure(pool.evaluate(request, controller.signal)), reason);
		assert.is((await pool.evaluate(request, open)).evaluated, 8);
	} finally {
		await pool.close();
	}
});

test("a strategy's own error passes through", async () => {
	const pool = createEvaluationPool({ threads: 1 });
	try {
		const error = await failure(pool.evaluate({ ...request, strategy_id: "ai_of_no_build" }, open));
		assert.match((error as Error).message, /not part of this build/);
	} finally {
		await pool.close();
	}
});

test("a thread that cannot start is told of and ends no process; what needs it fails, and may be tried again", async () => {
	const workerFile = new URL("./support/no-such-worker.ts", import.meta.url).href;
	const told = deferred<unknown>();
	// What waits for it waits for no limit.
	const pool = createEvaluationPool({ threads: 1, workerFile, onBroken: told.resolve, arm: () => () => {} });
	try {
		assert.match(((await within(told.promise, "the failure")) as Error).message, /no-such-worker/);
		const error = await within(failure(pool.evaluate(request, open)), "the evaluation");
		assert.ok(error instanceof EvaluationPoolError);
		assert.equal([error.code, error.retryable], ["no_thread", true]);
	} finally {
		await pool.close();
	}
});

test("the queue is bounded, and close rejects what waits", async () => {
	const pool = createEvaluationPool({ threads: 1, queueMax: 2 });
	const asked = Array.from({ length: 8 }, () =>
		failure(pool.evaluate(request, open).then(() => Promise.reject(new Error("done")))),
	);
	const closed = pool.close();
	const codes = (await Promise.all(asked)).map((error) =>
		error instanceof EvaluationPoolError ? error.code : (error as Error).message,
	);
	await closed;
	assert.ok(codes.includes("overloaded"), codes.join());
	assert.ok(codes.includes("closed"), codes.join());
	const late = await failure(pool.evaluate(request, open));
	assert.ok(late instanceof EvaluationPoolError && late.code === "closed");
	await pool.close();
});

test("options are checked", () => {
	assert.throws(() => createEvaluationPool({ threads: 0 }), /threads must be a positive integer/);
	assert.throws(() => createEvaluationPool({ queueMax: 1.5 }), /queueMax/);
});

test.run();
