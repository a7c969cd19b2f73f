import type { Logger } from "../log.ts";
import { replay } from "../runtime/replay.ts";
import type { ScanStore } from "../store/index.ts";
import { watchCommits } from "./commits.ts";
import { openInspectionServer } from "./server.ts";

export interface Inspection {
	/** The store to go on with: what is committed through it is told to watchers. */
	store: ScanStore;
	close(): Promise<void>;
}

/** For development: XState's inspection events on a loopback WebSocket. `port` null: nothing listens, nothing is told. */
export async function openInspection(port: number | null, store: ScanStore, log: Logger): Promise<Inspection> {
	if (port === null) return { store, close: async () => {} };
	let anew = () => {};
	const server = await openInspectionServer(port, () => anew());
	const watch = watchCommits(store.writer, { ...server, reader: store.reader, replay, log });
	anew = watch.anew;
	log.warn({ url: server.url }, "development only: administrators' scans can be watched here without a login");
	return { store: { ...store, writer: watch.writer }, close: () => server.close() };
}
