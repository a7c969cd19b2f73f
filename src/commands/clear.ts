import type { CommandDeps } from "./deps.ts";

/** Ids of a user's list that are read in one go, and of those how many scans are cleared at once. */
const PAGE = 100;
const TOGETHER = 10;

/** Removes the ended scans of a user; running ones stay. Returns how many went. */
export async function clearScans(deps: CommandDeps, userId: string): Promise<number> {
	let cleared = 0;
	for (let offset = 0; ; ) {
		const ids = await deps.reader.listByUser(userId, offset, PAGE);
		if (ids.length === 0) return cleared;
		for (let from = 0; from < ids.length; from += TOGETHER) {
			const done = await Promise.all(ids.slice(from, from + TOGETHER).map((id) => clearOne(deps, userId, id)));
			cleared += done.filter((one) => one === "cleared").length;
			offset += done.filter((one) => one === "stays").length;
		}
	}
}

async function clearOne(deps: CommandDeps, userId: string, scanId: string): Promise<"cleared" | "gone" | "stays"> {
	const record = await deps.reader.read(scanId);
	if (!record?.terminal) return "stays";
	await deps.book(record);
	await deps.writer.forgetFresh(userId, record.context.input.filter_key, scanId);
	return (await deps.writer.expireNow(userId, scanId)) ? "cleared" : "gone";
}
