import type { CommandDeps } from "./deps.ts";

/** Removes the ended scans of a user; running ones stay. Returns how many went. */
export async function clearScans(deps: CommandDeps, userId: string): Promise<number> {
	let cleared = 0;
	for (let offset = 0; ; ) {
		const ids = await deps.reader.listByUser(userId, offset, 100);
		if (ids.length === 0) return cleared;
		for (const scanId of ids) {
			const record = await deps.reader.read(scanId);
			if (!record?.terminal) {
				offset += 1;
				continue;
			}
			await deps.book(record);
			await deps.writer.forgetFresh(userId, record.context.input.filter_key, scanId);
			if (await deps.writer.expireNow(userId, scanId)) cleared += 1;
		}
	}
}
