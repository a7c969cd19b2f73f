import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopTurns } from "../../src/loop-turns.ts";
import type { CommitHub } from "../../src/store/commit-hub.ts";
import { createScanWriter } from "../../src/store/scan-writer.ts";
import { ACCEPT, COMMIT } from "../../src/store/scripts.ts";
import type { Commit } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";

/** How a scan that has begun where it was started is accepted: by its first commit, if that leaves at once. */
const acceptance = suite("store: the acceptance of a scan that has begun");

const scan_id = `scan_${"a".repeat(32)}`;
const NAMES = new Map([
	[ACCEPT.sha, "accept"],
	[COMMIT.urgent?.sha, "commit"],
]);
const first: Commit = {
	...{ scan_id, epoch: 1, base_seq: 5, lease_ms: 6_000, ended: false, accepts: true },
	...{ scan: {}, lifecycle: {}, debug: {}, results: new Map(), events: [] },
	entries: [
		{ type: "portfolio.fetched", phase: "portfolio_fetch", strategy_id: null, attempt: null, at_ms: 1, payload: {} },
	],
};

/** A store whose scripts are answered by the test: the commit as it says, an acceptance with that the record is there. */
function storeOn(committed: Promise<unknown>, isThere = 1) {
	const sent: string[] = [];
	const send = (_: string, __: unknown, [sha]: readonly (string | number)[] = []) => {
		const name = NAMES.get(String(sha)) ?? "other";
		sent.push(name);
		return name === "commit" ? committed : Promise.resolve(isThere);
	};
	const settings = { retention_ms: 1_000, tombstone_ms: 1_000 };
	return { sent, writer: createScanWriter({ redis: {} as Redis, send, hub: {} as CommitHub, now: () => 1, settings }) };
}

acceptance("is left to the first commit that leaves in the same turn, and answered with it", async () => {
	for (const answer of ["ok", "duplicate"]) {
		// As where the answer to a start arrives: no turn has begun to go on.
		await pause(1);
		const committed = deferred<unknown>();
		const { sent, writer } = storeOn(committed.promise);
		let isAccepted: boolean | null = null;
		const accepting = writer.accept(scan_id, true).then((accepted) => {
			isAccepted = accepted;
		});
		const commit = loopTurns.next().then(() => writer.commit(first));
		await loopTurns.next();
		await loopTurns.next();
		assert.equal([sent, isAccepted], [["commit"], null]);
		committed.resolve([answer, "1"]);
		await Promise.all([accepting, commit]);
		assert.equal([sent, isAccepted], [["commit"], true]);
	}
});

acceptance("is sent where the commit does not accept the scan, and tells whether there is one", async () => {
	const fails = () => Promise.reject(new Error("Connection is closed."));
	const answers = [async () => ["missing", "1"], async () => ["fenced", "1"], fails];
	for (const [i, answer] of answers.entries()) {
		const committed = deferred<void>();
		const isThere = i % 2;
		const { sent, writer } = storeOn(committed.promise.then(answer), isThere);
		const commit = writer.commit(first).catch(() => "failed");
		const accepted = writer.accept(scan_id, true);
		await loopTurns.next();
		await loopTurns.next();
		assert.equal(sent, ["commit"]);
		committed.resolve();
		assert.is(await accepted, isThere === 1);
		await commit;
		assert.equal(sent, ["commit", "accept"]);
	}
});

acceptance("is sent in this turn where no commit leaves in it, also when an earlier one is over", async () => {
	const { sent, writer } = storeOn(Promise.resolve(["ok", "1"]));
	await pause(1);
	const accepted = writer.accept(scan_id, true);
	// Behind what the turn leads to, in the same phase of the loop.
	await new Promise((resolve) => setImmediate(resolve));
	assert.equal(sent, ["accept"]);
	assert.is(await accepted, true);
	await writer.commit(first);
	await writer.accept(scan_id, true);
	assert.equal(sent, ["accept", "commit", "accept"]);
});

acceptance("waits for nothing where the scan has not begun: whoever claims it next must find it accepted", async () => {
	const { sent, writer } = storeOn(Promise.resolve(["ok", "1"]));
	const accepted = writer.accept(scan_id);
	assert.equal(sent, ["accept"]);
	assert.is(await accepted, true);
});

acceptance.run();
