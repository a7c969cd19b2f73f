import type { Exchange } from "ccxt";
import { boundedText } from "../market/bounded-text.ts";

/** Everything that is ever asked of an exchange on behalf of an account. All of it reads. */
export const READS = [
	"fetchBalance",
	"fetchPositions",
	"loadTimeDifference",
	"sapiGetAccountApiRestrictions",
	"privateGetV5UserQueryApi",
	"privateGetAccountConfig",
	"privatePostGetApiKeyInfo",
	"v3PrivateGetBrokerageKeyPermissions",
] as const;
export type Read = (typeof READS)[number];

/** An exchange of which only `READS` can be reached; its own object, which could trade, stays inside. */
export interface ReadingExchange {
	readonly id: string;
	has(read: Read): boolean;
	/** Rejects with ccxt's error. */
	ask(read: Read, ...args: unknown[]): Promise<unknown>;
}

export function readingOnly(exchange: Exchange): ReadingExchange {
	const members = exchange as unknown as Record<string, unknown>;
	const methodOf = (read: Read) => {
		// Named by the type, checked again: what crosses a thread has no types.
		const method = READS.includes(read) ? members[read] : undefined;
		return typeof method === "function" ? method : null;
	};
	return Object.freeze({
		id: exchange.id,
		has: (read: Read) => methodOf(read) !== null && exchange.has[read] !== false,
		async ask(read: Read, ...args: unknown[]) {
			const method = methodOf(read);
			if (method === null) throw new TypeError(`an exchange is not asked for ${String(read)}`);
			return method.apply(exchange, args);
		},
	});
}

/** The few reads that an exchange wants as POST; everything else that is no GET is refused before it is sent. */
const POSTED_READS: Readonly<Record<string, RegExp>> = {
	kraken: /^\/0\/private\/(?:BalanceEx|OpenPositions|GetApiKeyInfo)$/,
};

export function isReading(exchange: string, method: string, url: string): boolean {
	if (method === "GET") return true;
	return method === "POST" && (POSTED_READS[exchange]?.test(new URL(url).pathname) ?? false);
}

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

interface Sent {
	method: string;
	headers: Record<string, string>;
	body?: string;
	signal: AbortSignal;
}

/**
 * What ccxt sends its requests with: reads only, within `signal`, to where they were addressed (a redirect
 * would carry the key to another host), and answers of a bounded size.
 */
export const readingTransport =
	(exchange: string, signal: AbortSignal, send: typeof fetch = fetch) =>
	async (url: string, { method, headers, body, signal: own }: Sent): Promise<Response> => {
		if (!isReading(exchange, method, url)) throw new TypeError(`refused to send a ${method} request`);
		const init = { method, headers, redirect: "error" as const, signal: AbortSignal.any([own, signal]) };
		const answer = await send(url, body === undefined ? init : { ...init, body });
		const { status, statusText } = answer;
		const text = await boundedText(answer, ANSWER_BYTES_MAX, () => new TypeError("the answer is too large"));
		return new Response(text === "" ? null : text, { status, statusText, headers: answer.headers });
	};
