import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { MarketError } from "../../src/market/contract.ts";
import { createRecordedFiles } from "../../src/market/recorded-files.ts";
import { within } from "../support/wait.ts";

const test = suite("market/recorded-files");

test("a read whose thread cannot start fails by name and may be tried again; it waits for nothing and ends no process", async () => {
	const files = createRecordedFiles(".", new URL("./no-such-worker.ts", import.meta.url).href);
	try {
		for (let round = 0; round < 2; round++) {
			const read = files.read("a.csv", { kind: "newest" }, new AbortController().signal);
			const end = read.then(
				() => null,
				(reason: MarketError) => reason,
			);
			const error = await within(end, "the failure");
			assert.ok(error, "there is nothing to read with");
			assert.equal([error?.code, error?.retryable], ["fetch_failed", true]);
			assert.match(error?.message ?? "", /no thread could be started to read files: .*no-such-worker/);
		}
	} finally {
		await files.close();
	}
});

test.run();
