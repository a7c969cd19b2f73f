import { suite } from "uvu";
import * as assert from "uvu/assert";
import { listedFirst } from "../../src/store/scan-claims.ts";

/** A claim and its entry in the index of leases, by which a scan is found whose claimer dies. */
const listing = suite("store: the index of leases goes first");

/** @param failures of the index, one for each time it is asked */
async function order(failures: number, act: () => Promise<string>): Promise<string[]> {
	const done: string[] = [];
	let left = failures;
	const list = async () => {
		done.push("list");
		left -= 1;
		if (left >= 0) throw new Error("Connection is closed.");
	};
	const answer = await listedFirst(list, () => {
		done.push("act");
		return act();
	}).catch(String);
	return [...done, answer];
}

listing("once, where it is answered; again, where it was not", async () => {
	const claimed = async () => "granted";
	assert.equal(await order(0, claimed), ["list", "act", "granted"]);
	assert.equal(await order(1, claimed), ["list", "act", "list", "granted"]);
	assert.equal(await order(2, claimed), ["list", "act", "list", "granted"], "a heartbeat lists it otherwise");
});

listing("what was not claimed is an error, listed or not", async () => {
	const lost = () => Promise.reject(new Error("Command timed out"));
	assert.equal(await order(0, lost), ["list", "act", "Error: Command timed out"]);
	assert.equal(await order(1, lost), ["list", "act", "Error: Command timed out"]);
});

listing.run();
