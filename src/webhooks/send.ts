import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import type { Clock } from "../clock.ts";
import { AddressRefused, type AddressRule, addressIn, guardedLookup } from "./addresses.ts";

/** One POST to a receiver that may be slow, broken or hostile. */
export interface Sending {
	url: string;
	body: string;
	headers: Record<string, string>;
	/** How long the receiver is waited for, ms; absent: as long as any. */
	limit_ms?: number;
}

/** `status`: of the answer; null: there was none. `error` null: the receiver has taken it. */
export interface SendResult {
	status: number | null;
	error: string | null;
	/** There was no answer in time. */
	timed_out?: true;
}

export type Send = (sending: Sending, signal?: AbortSignal) => Promise<SendResult>;

/** From the call to the head of the answer. */
export const ATTEMPT_LIMIT_MS = 10_000;
/** Head of an answer; larger ones fail. */
const HEAD_BYTES_MAX = 16 * 1024;

interface SendDeps {
	allowed: AddressRule;
	clock: Clock;
	/** How names become addresses; the system's way by default. */
	resolve?: LookupFunction;
	limitMs?: number;
}

/**
 * Sends to allowed addresses only. The status decides: 2xx is success, redirects are not followed. The body of
 * the answer is not read, so its size and speed do not matter.
 */
export function createSend({ allowed, clock, resolve, limitMs = ATTEMPT_LIMIT_MS }: SendDeps): Send {
	const lookup = guardedLookup(allowed, resolve);
	return (sending, signal) =>
		new Promise((done) => {
			const url = new URL(sending.url);
			const address = addressIn(url);
			// A literal address is connected to without any lookup.
			if (address !== null && !allowed(address)) return done(failed(new AddressRefused()));
			const start = url.protocol === "https:" ? httpsRequest : httpRequest;
			const request = start(url, {
				method: "POST",
				headers: { ...sending.headers, "content-length": String(Buffer.byteLength(sending.body)), connection: "close" },
				agent: false,
				lookup,
				maxHeaderSize: HEAD_BYTES_MAX,
			});
			const end = (result: SendResult): void => {
				clock.clearTimeout(timer);
				signal?.removeEventListener("abort", onAbort);
				request.destroy();
				done(result);
			};
			const patienceMs = sending.limit_ms ?? limitMs;
			const late = (): void => end({ status: null, error: `no answer within ${patienceMs} ms`, timed_out: true });
			const timer = clock.setTimeout(late, patienceMs);
			const onAbort = (): void => end({ status: null, error: "interrupted" });
			signal?.addEventListener("abort", onAbort, { once: true });
			request.on("response", (response: IncomingMessage) => {
				// Destroying it makes noise that concerns nobody any more.
				response.on("error", () => undefined);
				end(answered(response.statusCode ?? 0));
			});
			request.on("error", (error) => end(failed(error)));
			request.end(sending.body);
		});
}

function answered(status: number): SendResult {
	if (status >= 200 && status < 300) return { status, error: null };
	if (status >= 300 && status < 400) return { status, error: `HTTP ${status}: redirects are not followed` };
	return { status, error: `HTTP ${status}` };
}

/** Codes only: messages of the network name addresses of this side of the fence. */
function failed(error: Error): SendResult {
	if (error instanceof AddressRefused) return { status: null, error: error.message };
	const code = (error as NodeJS.ErrnoException).code ?? error.name;
	return { status: null, error: `connection failed: ${code}` };
}
