/** The program's side of sharing: answers of the thread's requests go through the store that all processes share. */
import { MarketError } from "../contract.ts";
import { type PlainError, plainError } from "../plain-error.ts";
import type { VenueSharing } from "../venue-sharing.ts";
import { type FromThread, portError, type ToThread } from "./protocol.ts";

type ShareMessage = Extract<FromThread, { kind: "share" | "unshare" | "fetched" }>;

export interface ShareRelay {
	receive(message: ShareMessage): void;
	/** The thread is gone: nobody waits for answers any more. */
	clear(why: string): void;
}

interface Asked {
	abort: AbortController;
	/** Takes what the thread fetched; null while another process fetches. */
	fetched: ((outcome: Int8Array | PlainError) => void) | null;
}

export function createShareRelay(sharing: VenueSharing, send: (message: ToThread) => void): ShareRelay {
	let asked = new Map<number, Asked>();

	const share = async (message: Extract<ShareMessage, { kind: "share" }>): Promise<void> => {
		const { id, venue, name, fresh_ms, begun_ms } = message;
		const own: Asked = { abort: new AbortController(), fetched: null };
		const { signal } = own.abort;
		asked.set(id, own);
		const load = (): Promise<Int8Array> =>
			new Promise((resolve, reject) => {
				own.fetched = (outcome) => ("code" in outcome ? reject(portError(outcome)) : resolve(outcome));
				send({ kind: "fetch", id });
			});
		const answer = await sharing.request(venue, name, fresh_ms, load, signal, begun_ms).catch(plainError);
		if (asked.get(id) === own && !signal.aborted) send({ kind: "shared", id, answer });
		asked.delete(id);
	};

	return {
		receive(message) {
			if (message.kind === "share") return void share(message);
			const own = asked.get(message.id);
			if (message.kind === "fetched") own?.fetched?.(message.outcome);
			// Whoever has fetched waits no longer, but what was fetched is still to be put into the store.
			else if (own?.fetched == null) own?.abort.abort(new MarketError("fetch_failed", "nobody waits any more", true));
		},
		clear(why) {
			const all = asked;
			asked = new Map();
			for (const { abort } of all.values()) abort.abort(new Error(why));
		},
	};
}
