import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createStartMemory } from "../../src/commands/start-memory.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { settled } from "../effects/fake-clock.ts";
import { beginner, type Given, waiting } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { untilRecord } from "../support/stuck.ts";
import { startRequest, viewer } from "../support/system.ts";

/** A start that this process will run asks nothing where nothing is to be expected from asking. */
const unasked = suite("runtime: scans begun without asking");

let redis: TestRedis;
let store: ScanStore;
let users = 60_000;
unasked.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
unasked.after(() => redis.close());
const completed = (scanId: string) => untilRecord(store, scanId, ({ position }) => position === "completed");
const lastUser = () => viewer(users);
const nextUser = () => {
	users += 1;
	return lastUser();
};

/** A process that notes what its starts ask, and which records they make. */
function process(given: Given = {}) {
	let now = 1_000_000;
	const memory = createStartMemory({ clock: { now: () => now }, idle: () => true, like_ms: 60_000 });
	const asked: string[] = [];
	const made: string[] = [];
	const begun = beginner(store, {
		memory,
		waiting: async () => {
			asked.push("waiting");
			return 0;
		},
		starting: {
			activeScan(...about) {
				asked.push("active");
				return store.writer.activeScan(...about);
			},
			freshScan(...about) {
				asked.push("fresh");
				return store.writer.freshScan(...about);
			},
			begin(scan, claim) {
				made.push(scan.scan_id);
				return store.writer.begin(scan, claim);
			},
		},
		...given,
	});
	const quiet = () => memory.learn(true, now);
	const later = (ms: number) => {
		now += ms;
	};
	return { ...begun, questions: asked, made, memory, quiet, later };
}

/** A scan of a new user that another process runs until the test lets it `go`. */
async function runningElsewhere() {
	const me = nextUser();
	const { go, effects } = waiting();
	const other = process({ effects });
	const { scan_id } = await other.commands.startScan(me, startRequest());
	return { me, go, other, scan_id };
}

unasked("the first start of a process asks, those that come within a second do not", async () => {
	const { commands, questions, quiet, later, asked } = process();
	const start = async () => await completed((await commands.startScan(nextUser(), startRequest())).scan_id);
	await start();
	assert.equal(questions.splice(0), ["active", "fresh", "waiting"]);
	later(999);
	await start();
	assert.equal(questions, []);
	later(1);
	await start();
	assert.equal(questions.splice(0), ["active", "fresh", "waiting"]);
	quiet();
	await start();
	assert.equal(questions, []);
	assert.equal(asked, Array(4).fill("run as claimed"));
});

unasked(
	"a forced one asks, so does one under a reserved id, and one like another, which it joins or whose result it gets",
	async () => {
		const me = nextUser();
		const { go, effects } = waiting();
		const { commands, questions, made, quiet, runtime, memory } = process({ effects });
		quiet();
		const first = await commands.startScan(me, startRequest());
		assert.equal(questions, []);
		const joined = await commands.startScan(me, startRequest());
		assert.equal([joined.decision, joined.scan_id, made], ["joined", first.scan_id, [first.scan_id]]);
		go.resolve();
		await completed(first.scan_id);
		await runtime.run(first.scan_id);
		const cached = await commands.startScan(me, startRequest());
		assert.equal([cached.decision, cached.scan_id], ["cached", first.scan_id]);
		quiet();
		questions.splice(0);
		const forced = await commands.startScan(nextUser(), startRequest({ force_refresh: true }));
		await completed(forced.scan_id);
		assert.equal(
			questions.splice(0),
			["active", "waiting", "active"],
			"whether it joins, who waits, what it supersedes",
		);
		const reserved = `scan_${"d".repeat(32)}`;
		await commands.startScan(nextUser(), startRequest(), reserved);
		await completed(reserved);
		assert.equal(questions, ["active", "fresh", "waiting"], "another process may have begun it");
		assert.is(memory.mayBegin(lastUser().user_id, "all"), false, "and it counts as a like one");
	},
);

unasked(
	"one that another process has run is joined or answers all the same, and leaves no record of its own",
	async () => {
		const { me, go, other, scan_id } = await runningElsewhere();
		const { commands, questions, made, quiet, asked, runtime } = process();
		quiet();
		const joined = await commands.startScan(me, startRequest());
		assert.equal([joined.decision, joined.scan_id], ["joined", scan_id]);
		go.resolve();
		await completed(scan_id);
		await other.runtime.run(scan_id);
		const third = process();
		third.quiet();
		const cached = await third.commands.startScan(me, startRequest());
		assert.equal([cached.decision, cached.scan_id], ["cached", scan_id]);
		assert.equal([questions, third.questions], [[], []]);
		assert.equal([asked, third.asked], [[], []], "nothing was run");
		await settled();
		assert.equal([runtime.active(), third.runtime.active()], [0, 0]);
		for (const id of [...made, ...third.made]) {
			assert.is(await store.reader.read(id), null);
			for (const listed of [
				store.writer.unclaimed(0, 1_000),
				store.writer.leaseless(1_000),
				store.writer.overdue(1_000),
			])
				assert.not((await listed).includes(id));
		}
		assert.equal(await store.reader.listByUser(me.user_id, 0, 10), [scan_id]);
	},
);

unasked(
	"one that a full server refuses a record asks whether it needs one, and no other failure is hidden",
	async () => {
		const { me, go, scan_id } = await runningElsewhere();
		let tries = 0;
		const refusing = (text: string) =>
			process({
				starting: {
					begin() {
						tries += 1;
						return Promise.reject(new Error(text));
					},
				},
			});
		const messageOf = (work: Promise<unknown>) => work.then(String, (reason: Error) => reason.message);
		const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
		const full = refusing(OOM);
		full.quiet();
		const joined = await full.commands.startScan(me, startRequest());
		assert.equal([joined.decision, joined.scan_id, tries], ["joined", scan_id, 1]);
		assert.is(await messageOf(full.commands.startScan(nextUser(), startRequest())), OOM);
		assert.is(tries, 3, "once unasked, once asked");
		const away = refusing("Connection is closed.");
		away.quiet();
		assert.is(await messageOf(away.commands.startScan(me, startRequest())), "Connection is closed.");
		assert.is(tries, 4, "it may have been carried out");
		await settled();
		assert.equal([full.runtime.active(), away.runtime.active()], [0, 0]);
		go.resolve();
		await completed(scan_id);
	},
);

unasked("what waits makes the next ones ask", async () => {
	let waits = 1;
	const { commands, memory, quiet, later } = process({ waiting: async () => waits });
	const start = async () => (await commands.startScan(nextUser(), startRequest())).scan_id;
	await start();
	assert.is(memory.mayBegin("u", "k"), false);
	waits = 0;
	later(1);
	await start();
	assert.is(memory.mayBegin("u", "k"), true);
	later(1_000);
	waits = 1;
	await start();
	assert.is(memory.mayBegin("u", "k"), false);
	later(1);
	quiet();
	assert.is(memory.mayBegin("u", "k"), true);
});

unasked.run();
