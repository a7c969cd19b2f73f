import type { IncomingMessage, ServerResponse } from "node:http";
import type { RateDecision } from "../accounts/admission.ts";
import { rateHeaders } from "./admit.ts";
import { encodedTag, heldTag, resourceTags } from "./encoded-tags.ts";
import { COMPRESSED_BYTES_MIN, createEncodedCopies, type Encoding } from "./encodings.ts";
import { tagMatches } from "./etag.ts";
import type { Lifetime } from "./lifetime.ts";
import { JSON_TYPE, REVALIDATED } from "./reply.ts";
import type { KnownReply } from "./route.ts";
import { SECURITY_HEADERS } from "./security.ts";

const VARIES = "Origin, Accept-Encoding";

/** What an answer depends on beside its content. */
export interface Terms {
	request: IncomingMessage;
	response: ServerResponse;
	/** null: not counted. */
	rate: RateDecision | null;
	encoding: Encoding | null;
}

/** Sends a known answer, or 304 to who has it already; gives the status that was sent. */
export type KnownAnswer = (terms: Terms, reply: KnownReply) => number | Promise<number>;

/** The headers are those that the middlewares set, names and order included where a client could tell. */
export function createKnownAnswer({ requestIdOf, draining }: Pick<Lifetime, "requestIdOf" | "draining">): KnownAnswer {
	const encoded = createEncodedCopies();

	/** Name, value, name, value, as Node.js takes them without another copy. */
	function headersOf({ request, rate }: Terms, etag: string): string[] {
		const given = request.headers["x-request-id"] as string | undefined;
		const headers = ["X-Request-ID", requestIdOf(given), ...SECURITY_HEADERS];
		headers.push("Cache-Control", REVALIDATED, "Vary", VARIES, "ETag", etag);
		if (rate) headers.push(...rateHeaders(rate));
		if (draining()) headers.push("Connection", "close");
		return headers;
	}

	function sendBody(terms: Terms, etag: string, body: Buffer, encoding: Encoding | null): number {
		const headers = headersOf(terms, encoding ? encodedTag(etag, encoding) : etag);
		headers.push("Content-Type", JSON_TYPE);
		if (encoding) headers.push("Content-Encoding", encoding);
		headers.push("Content-Length", String(body.length));
		terms.response.writeHead(200, headers);
		terms.response.end(body);
		return 200;
	}

	return (terms, { etag, body }) => {
		const { request, response, encoding } = terms;
		const held = request.headers["if-none-match"];
		if (held !== undefined && tagMatches(resourceTags(held), etag)) {
			response.writeHead(304, headersOf(terms, heldTag(held, etag)));
			response.end();
			return 304;
		}
		if (encoding === null || body.length < COMPRESSED_BYTES_MIN) return sendBody(terms, etag, body, null);
		return encoded(body, encoding).then((copy) => sendBody(terms, etag, copy, encoding));
	};
}
