import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createEventQueries } from "../../src/queries/events.ts";
import type { JournalEntry } from "../../src/store/contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { SCAN_ID, sampleRecord, USER_ID } from "../support/records.ts";
import { within } from "../support/wait.ts";

const shared = suite("Queries: watchers of a scan share what is read");

/** That of the entry with which a scan ends. */
const END_SEQ = 1_000;
const viewer = { user_id: USER_ID, role: "trader" as const };
const entryOf = (seq: number): JournalEntry => ({
	seq,
	at_ms: 0,
	type: seq === END_SEQ ? "scan.completed" : "phase.started",
	phase: "queued",
	strategy_id: null,
	attempt: null,
	revision: seq,
	payload: {},
});

/** A running scan whose commits and reads the test carries out. */
function watchedScan() {
	const written: number[] = [];
	const reads: { afterSeq: number; answer(): void }[] = [];
	let commit = deferred<boolean>();
	const record = sampleRecord({ terminal: false, revision: 0 });
	const parts = {
		reader: { nextCommit: () => commit.promise, now: () => 0, read: async () => record },
		lookup: { byId: async () => ({ kind: "found", record }) },
		journal: {
			entries(_: unknown, afterSeq: number, limit: number) {
				// What lies in the store when the read gets there.
				const later = written.filter((seq) => seq > afterSeq).slice(0, limit);
				const found = later.map((seq) => ({ entry: entryOf(seq), text: "{}" }));
				const read = deferred<typeof found>();
				reads.push({ afterSeq, answer: () => read.resolve(found) });
				return read.promise;
			},
		},
		streamsMax: 10,
	};
	const queries = createEventQueries(parts as unknown as Parameters<typeof createEventQueries>[0]);
	const watch = async (): Promise<AsyncIterator<string>> => {
		const stream = await queries.open(viewer, SCAN_ID, 0, new AbortController().signal);
		const text = (stream as NonNullable<typeof stream>).text[Symbol.asyncIterator]();
		await text.next();
		return text;
	};
	return {
		reads,
		watch,
		/** Entry `seq` is written and, in its own time, told of. */
		write: (seq: number) => void written.push(seq),
		tell() {
			const told = commit;
			commit = deferred<boolean>();
			told.resolve(true);
		},
	};
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const seqsIn = (text: string | undefined): number[] =>
	[...(text ?? "").matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));

shared("a commit is read once, however many watch", async () => {
	const scan = watchedScan();
	const watchers = await Promise.all([scan.watch(), scan.watch(), scan.watch()]);
	let next = watchers.map((text) => text.next());
	await turn();
	for (const seq of [1, 2, END_SEQ]) {
		scan.write(seq);
		if (seq === 1) scan.reads.at(-1)?.answer();
		scan.tell();
		await turn();
		scan.reads.at(-1)?.answer();
		for (const part of await within(Promise.all(next), `entry ${seq}`, 2_000)) assert.equal(seqsIn(part.value), [seq]);
		next = watchers.map((text) => text.next());
		await turn();
	}
	assert.equal(
		scan.reads.map(({ afterSeq }) => afterSeq),
		[0, 0, 1, 2],
		"one before the first commit, and one for each",
	);
});

shared("who comes after a commit shares no read from before it", async () => {
	const scan = watchedScan();
	const first = await scan.watch();
	const early = first.next();
	await turn();
	assert.is(scan.reads.length, 1, "it has found nothing and is not answered yet");
	scan.write(1);
	scan.tell();
	await turn();
	const second = await scan.watch();
	const late = second.next();
	await turn();
	for (const read of scan.reads) read.answer();
	assert.equal(seqsIn((await within(late, "what the second watcher gets", 2_000)).value), [1]);
	await turn();
	for (const read of scan.reads) read.answer();
	assert.equal(seqsIn((await within(early, "what the first one gets", 2_000)).value), [1]);
});

shared("who is far behind reads page after page and waits for no news; the last one says that it ends", async () => {
	const scan = watchedScan();
	for (let seq = 10; seq < 260; seq++) scan.write(seq);
	scan.write(END_SEQ);
	const text = await scan.watch();
	const pages: number[] = [];
	for (let last = ""; !last.includes("event: end"); ) {
		const next = text.next();
		await turn();
		scan.reads.at(-1)?.answer();
		last = String((await within(next, "a page", 2_000)).value);
		pages.push(seqsIn(last).length);
	}
	assert.equal(pages, [100, 100, 51]);
});

shared.run();
