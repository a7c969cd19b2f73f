import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createQueries } from "../../src/queries.ts";
import { replay } from "../../src/runtime/replay.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import { probes } from "../support/probes.ts";
import { SCAN_ID, sampleRecord, USER_ID } from "../support/records.ts";
import { within } from "../support/wait.ts";

const ended = suite("Queries: events of an ended scan");

ended("a stream whose journal is shorter than its record says ends instead of waiting for ever", async () => {
	const store = createFakeStore();
	store.commit(sampleRecord());
	const earnedCredits = async () => null;
	const queries = createQueries({ ...store, probes, earnedCredits, stuckAfterMs: 1, replay, streamsMax: 1 });
	const still = new AbortController().signal;
	const stream = await queries.events.open({ user_id: USER_ID, role: "trader" }, SCAN_ID, 0, still);
	const read = async () => {
		let text = "";
		for await (const part of stream?.text ?? []) text += part;
		return text;
	};
	assert.match(await within(read(), "the end of the stream", 2_000), /^retry: 2000\n\nevent: end\n/);
});

ended.run();
