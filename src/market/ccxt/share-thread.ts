/** The thread's side of sharing answers with other processes: the store is the program's, so it is asked by message. */
import { abortable } from "../abortable.ts";
import { type PlainError, plainError } from "../plain-error.ts";
import { marketErrorOf } from "./errors.ts";
import { asMarketError, type FromThread, type ToThread } from "./protocol.ts";
import type { ShareRequest } from "./requests.ts";

interface Asker {
	told(answer: { body: Int8Array; age_ms: number }): void;
	failed(error: unknown): void;
	load(): void;
}

export interface ThreadSharing {
	/** For the requests of one venue. */
	of(venue: string): ShareRequest;
	receive(message: Extract<ToThread, { kind: "fetch" | "shared" }>): void;
}

/** Without a code of the port it is told to nobody who waits in another process. */
const GIVEN_UP: PlainError = { code: null, message: "nobody waits any more", retryable: true };

export function createThreadSharing(send: (message: FromThread, transfer?: ArrayBuffer[]) => void): ThreadSharing {
	const askers = new Map<number, Asker>();
	let made = 0;

	const share =
		(venue: string): ShareRequest =>
		async (name, fresh_ms, load, signal, begun_ms) => {
			const id = ++made;
			let loading = false;
			const own = async (): Promise<{ text: string; age_ms: number }> => {
				try {
					const text = await load();
					const { buffer } = new TextEncoder().encode(text);
					send({ kind: "fetched", id, outcome: new Int8Array(buffer) }, [buffer]);
					return { text, age_ms: 0 };
				} catch (error) {
					// Whoever lost interest says nothing about the source.
					send({ kind: "fetched", id, outcome: signal.aborted ? GIVEN_UP : plainError(marketErrorOf(error, venue)) });
					throw error;
				}
			};
			const answer = new Promise<{ text: string; age_ms: number }>((resolve, reject) => {
				askers.set(id, {
					told: ({ body, age_ms }) => resolve({ text: textOf(body), age_ms }),
					failed: reject,
					load() {
						// Asked a second time when the lease was lost meanwhile; the first one goes on.
						if (loading) return;
						loading = true;
						own().then(resolve, reject);
					},
				});
			});
			send({ kind: "share", id, venue, name, fresh_ms, begun_ms });
			try {
				return await abortable(answer, signal);
			} finally {
				if (askers.delete(id)) send({ kind: "unshare", id });
			}
		};

	return {
		of: share,
		receive(message) {
			const asker = askers.get(message.id);
			if (message.kind === "fetch")
				return asker ? asker.load() : send({ kind: "fetched", id: message.id, outcome: GIVEN_UP });
			if ("body" in message.answer) asker?.told(message.answer);
			else asker?.failed(asMarketError(message.answer));
		},
	};
}

const textOf = ({ buffer, byteOffset, byteLength }: Int8Array): string =>
	Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
