import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCommitHub } from "../../src/store/commit-hub.ts";
import { channels } from "../../src/store/keys.ts";
import { ManualClock } from "../effects/fake-clock.ts";

const test = suite("news of commits");
const turn = () => new Promise((resolve) => setImmediate(resolve));
const LONG_MS = 900;

/** A subscription that remembers its channels; `stands` answers what was asked of it. */
function connection() {
	const listeners = new Set<(channel: string, message: string) => void>();
	const asked: { name: string; answer: () => void; fail: (error: Error) => void }[] = [];
	const names = new Set<string>();
	const redis = {
		on: (_: string, listener: (channel: string, message: string) => void) => listeners.add(listener),
		off: (_: string, listener: (channel: string, message: string) => void) => listeners.delete(listener),
		ping: async () => "PONG",
		subscribe(name: string) {
			if (name === channels.inbox) return Promise.resolve();
			return new Promise<void>((answer, fail) => {
				asked.push({ name, answer, fail });
				names.add(name);
			});
		},
		async unsubscribe(name: string) {
			names.delete(name);
		},
	};
	const tell = (scanId: string) => {
		const name = channels.commits(scanId);
		// Only what is subscribed to arrives.
		if (names.has(name)) for (const listener of listeners) listener(name, `${scanId} 7 0`);
	};
	return { redis: redis as unknown as Redis, asked, names, tell };
}

async function hubOn({ redis }: ReturnType<typeof connection>, clock: ManualClock) {
	const hub = await createCommitHub(redis, clock);
	const woken: string[] = [];
	const wait = (scanId: string, signal = new AbortController().signal) =>
		hub.next(scanId, LONG_MS, signal).then((news) => void woken.push(`${scanId} ${news}`));
	return { hub, woken, wait };
}

test("a process hears of the scans that are waited for in it and of no others", async () => {
	const [clock, link] = [new ManualClock(), connection()];
	const { hub, woken, wait } = await hubOn(link, clock);
	assert.equal([...link.names], []);
	void wait("scan_a");
	void wait("scan_a");
	assert.equal([...link.names], [channels.commits("scan_a")]);
	assert.is(link.asked.length, 1, "one subscription for all who wait for a scan");
	link.tell("scan_b");
	await turn();
	assert.equal(woken, []);
	link.tell("scan_a");
	await turn();
	assert.equal(woken, ["scan_a true", "scan_a true"]);
	hub.close();
});

test("who waits looks once more when the subscription stands: a commit before that was told to nobody", async () => {
	const [clock, link] = [new ManualClock(), connection()];
	const { hub, woken, wait } = await hubOn(link, clock);
	void wait("scan_a");
	link.asked[0]?.answer();
	await turn();
	assert.equal(woken, ["scan_a true"]);
	void wait("scan_a");
	await turn();
	assert.is(link.asked.length, 1, "from then on it stands");
	assert.is(woken.length, 1);
	link.tell("scan_a");
	await turn();
	assert.is(woken.length, 2);
	hub.close();
});

test("a subscription goes some time after the last wait, and not while somebody waits", async () => {
	const [clock, link] = [new ManualClock(), connection()];
	const { hub, woken, wait } = await hubOn(link, clock);
	const gone = new AbortController();
	void wait("scan_a", gone.signal);
	gone.abort();
	await clock.advance(1_500);
	assert.is(link.names.size, 1, "most who have waited wait again");
	void wait("scan_a");
	await clock.advance(800);
	assert.is(link.names.size, 1);
	await clock.advance(200);
	assert.equal(woken, ["scan_a false", "scan_a false"]);
	await clock.advance(2_100);
	assert.is(link.names.size, 0);
	void wait("scan_a");
	assert.is(link.asked.length, 2, "and comes again");
	hub.close();
});

test("a subscription that is refused leaves its waiters to look by themselves", async () => {
	const [clock, link] = [new ManualClock(), connection()];
	const { hub, woken, wait } = await hubOn(link, clock);
	void wait("scan_a");
	link.asked[0]?.fail(new Error("the server is away"));
	await turn();
	assert.equal(woken, []);
	await clock.advance(LONG_MS + 1);
	assert.equal(woken, ["scan_a false"]);
	void wait("scan_a");
	assert.is(link.asked.length, 2, "the next wait asks again");
	hub.close();
	await turn();
	assert.is(woken.length, 2, "the end wakes all");
});

test.run();
