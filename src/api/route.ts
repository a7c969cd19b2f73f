import type { ZodType } from "zod";
import type { Viewer } from "../store/contract.ts";

/** Which sliding window counts the request. */
export type RateRule = "discover" | "onboard" | "other" | "none";

/** What a handler sees: parsed input, who asks, and nothing of Koa. */
export interface ApiRequest<P, Q, B> {
	params: P;
	query: Q;
	body: B;
	/** Present on every route that is not public. */
	viewer: Viewer;
	/** Claims of the access token beyond the viewer; empty on public routes. */
	session: { sid: string; jti: string; exp: number };
	/** Lower-case names. */
	headers: Record<string, string | undefined>;
	/** Client address, the forwarded one only behind TRUST_PROXY. */
	address: string;
	request_id: string;
	/** Request path without query. */
	path: string;
	/** Set on a route that may be asked once per Idempotency-Key: the id that a new scan must get. */
	reserved_scan_id?: string;
	/** Aborted when the client goes away and on shutdown (long polls then answer at once). */
	signal: AbortSignal;
}

/** Server-Sent Events; `release` is called once the response is over, however it ends. */
export interface EventStream {
	text: AsyncIterable<string>;
	release(): void;
}

/** `body` is an object (sent as compact JSON) or a string that is JSON already. */
export interface ApiReply {
	status: number;
	body: object | string | null;
	/** Instead of a body. */
	stream?: EventStream;
	headers?: Record<string, string>;
	/** Answer 304 when If-None-Match matches; must be a complete quoted tag. */
	etag?: string;
	/** Default `private, no-cache`; auth routes say `no-store`. */
	cache_control?: string;
	/** What a repetition under the same Idempotency-Key is answered from; default: this answer as it is. */
	remember?: object;
	/** Default application/json; problems say application/problem+json. */
	content_type?: string;
}

/** An answer that was made before: compact JSON, one object as long as it says the same, and its tag. */
export interface KnownReply {
	body: Buffer;
	etag: string;
}

/** One endpoint: the single source of validation, types, access rules and OpenAPI. */
export interface RouteSpec<P = unknown, Q = unknown, B = unknown> {
	method: "get" | "post" | "put" | "patch" | "delete";
	/** Below /api/v1, in the form `/opportunities/status/{scan_id}`. */
	path: string;
	operation_id: string;
	summary: string;
	tag: "auth" | "scans" | "user" | "strategies" | "diagnostics" | "admin" | "portfolio" | "webhooks";
	public?: boolean;
	/** Roles that may call it; absent = any signed-in role. Checked before validation of the body. */
	roles?: readonly Viewer["role"][];
	rate: RateRule;
	/** Also answers a token whose login is revoked already (logout may be repeated). */
	allow_revoked?: boolean;
	/**
	 * The route honours Idempotency-Key. `replay` makes the answer to a repetition from what the first one
	 * remembered; without it the first answer is repeated as it was.
	 */
	once?: { replay?(remembered: unknown, request: ApiRequest<P, Q, B>): Promise<ApiReply> };
	/** Runs before the body is read; throws ApiError when the route is not open at all. */
	precheck?(): void;
	params?: ZodType<P>;
	query?: ZodType<Q>;
	body?: ZodType<B>;
	/** Success statuses with their schema; problems are described once for all routes. */
	responses: Record<number, { description: string; schema?: ZodType; content_type?: string }>;
	/** Problem codes this route can answer beside the general ones; for the API description. */
	problems?: readonly string[];
	/**
	 * For GETs that are repeated again and again: the 200 that `handler` would give without a query, if it is ready;
	 * null: ask the handler. `word` is the parameter at the end of the path. Asked while the caller is being
	 * admitted; who is not admitted never sees what it gives.
	 */
	known?(viewer: Viewer, word: string): Promise<KnownReply | null>;
	handler(request: ApiRequest<P, Q, B>): Promise<ApiReply>;
}

/** Keeps the inference of P, Q and B inside one literal while the table holds mixed routes. */
export const route = <P, Q, B>(spec: RouteSpec<P, Q, B>): RouteSpec => spec as unknown as RouteSpec;
