import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createScanNews } from "../../src/queries/news.ts";

const news = suite("queries: watchers of a scan wait together");

/** A reader whose waits end when the test says so. */
function heldReader() {
	const waits: { scanId: string; end(): void; fail(): void }[] = [];
	return {
		waits,
		nextCommit: (scanId: string) =>
			new Promise<boolean>((resolve, reject) => {
				waits.push({ scanId, end: () => resolve(true), fail: () => reject(new Error("the store is away")) });
			}),
	};
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

news("a thousand watchers of one scan cost one wait, and each is woken once", async () => {
	const reader = heldReader();
	const { next } = createScanNews(reader, () => {});
	let woken = 0;
	for (let i = 0; i < 1_000; i++) next("a", () => woken++);
	next("b", () => assert.unreachable("another scan's commit wakes nobody here"));
	assert.equal(
		reader.waits.map(({ scanId }) => scanId),
		["a", "b"],
	);
	reader.waits[0]?.end();
	await turn();
	assert.is(woken, 1_000);
	next("a", () => woken++);
	assert.is(reader.waits.length, 3, "whoever waits again is waited for again");
});

news("whoever is woken may wait again at once, and a wait that fails wakes its watchers too", async () => {
	const reader = heldReader();
	const { next } = createScanNews(reader, () => {});
	const seen: string[] = [];
	next("a", () => {
		seen.push("first");
		next("a", () => seen.push("second"));
	});
	reader.waits[0]?.fail();
	await turn();
	assert.equal(seen, ["first"]);
	reader.waits[1]?.end();
	await turn();
	assert.equal(seen, ["first", "second"]);
});

news.run();
