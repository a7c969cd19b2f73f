import { suite } from "uvu";
import * as assert from "uvu/assert";
import { announcePresence, WORKER_NOTE_MS, WORKER_SILENT_MS } from "../src/presence.ts";
import type { WorkerInfo } from "../src/store/contract.ts";
import { ManualClock } from "./effects/fake-clock.ts";
import { testLogger } from "./support/store.ts";

const presence = suite("presence: who else is there");

function announced(others: Partial<WorkerInfo>[], look: () => Promise<void> = async () => {}) {
	const clock = new ManualClock();
	const noted: WorkerInfo[] = [];
	const market = { state: async () => ({ calls: 0, hits: 0, sources: [] }), requests: async () => undefined };
	const made = announcePresence({
		writer: {
			now: () => clock.now(),
			noteWorker: async (worker: WorkerInfo) => void noted.push(worker),
			forgetWorker: async () => undefined,
		} as never,
		async someWorkers() {
			await look();
			const all = others.map((other) => ({ last_seen_at_ms: clock.now(), ...other }) as WorkerInfo);
			return [...all, ...noted.slice(-1)];
		},
		runtime: { workerId: "me", active: () => 0 } as never,
		clock,
		logger: testLogger() as never,
		version: "0.0.0",
		draining: () => false,
		market: market as never,
	});
	return { made, clock, noted, others };
}
const worker = (worker_id: string, scans_active: number, more: Partial<WorkerInfo> = {}) => ({
	worker_id,
	scans_active,
	draining: false,
	...more,
});

presence("alone nobody has less in hand", async () => {
	const { made, noted } = announced([]);
	await made.first;
	assert.is(noted.length, 1);
	assert.is(made.leastElsewhere(), Number.POSITIVE_INFINITY);
});

presence("of the others the least busy counts, but none that is silent or takes no more", async () => {
	const silent = worker("silent", 0, { last_seen_at_ms: new ManualClock().now() - WORKER_SILENT_MS });
	const { made, clock, others } = announced([
		worker("a", 5),
		worker("b", 3),
		silent,
		worker("going", 0, { draining: true }),
	]);
	await made.first;
	assert.is(made.leastElsewhere(), 3);
	others.push(worker("c", 1));
	await clock.advance(WORKER_NOTE_MS);
	assert.is(made.leastElsewhere(), 1, "looked at again with each note");
});

presence("before the first look, and after one that failed, it is not known", async () => {
	let failing = false;
	const { made, clock, noted } = announced([worker("a", 2)], async () => {
		if (failing) throw new Error("store away");
	});
	assert.is(made.leastElsewhere(), -1);
	await made.first;
	assert.is(made.leastElsewhere(), 2);
	failing = true;
	await clock.advance(WORKER_NOTE_MS);
	assert.equal([noted.length, made.leastElsewhere()], [2, -1], "the worker is noted all the same");
	failing = false;
	await clock.advance(WORKER_NOTE_MS);
	assert.is(made.leastElsewhere(), 2);
});

presence("of many that are silent none tells that nobody is there", async () => {
	const silent = { last_seen_at_ms: new ManualClock().now() - WORKER_SILENT_MS };
	const few = announced([worker("killed", 0, silent)]);
	await few.made.first;
	assert.is(few.made.leastElsewhere(), Number.POSITIVE_INFINITY);
	const many = announced(Array.from({ length: 9 }, (_, i) => worker(`killed-${i}`, 0, silent)));
	await many.made.first;
	assert.is(many.made.leastElsewhere(), -1);
});

presence.run();
