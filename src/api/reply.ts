import type { Context } from "koa";
import { tagMatches } from "./etag.ts";
import type { ApiReply } from "./route.ts";

export const API_PREFIX = "/api/v1";

export const JSON_TYPE = "application/json; charset=utf-8";
/** May be kept by the browser and must be revalidated. */
export const REVALIDATED = "private, no-cache";

/** Answers about logins are never stored. */
export const cacheControlOf = (path: string): string =>
	path.startsWith(`${API_PREFIX}/auth`) ? "no-store" : REVALIDATED;

/** Seconds a client should wait before it asks again for what a 202 promised. */
const ACCEPTED_RETRY_AFTER_SECONDS = 3;

function isNotModified(ctx: Context, reply: ApiReply): boolean {
	if (reply.etag === undefined || reply.status !== 200) return false;
	if (ctx.method !== "GET" && ctx.method !== "HEAD") return false;
	return tagMatches(ctx.get("If-None-Match"), reply.etag);
}

/** Turns what a handler returned into the answer: compact JSON, validators, caching. */
export function send(ctx: Context, reply: ApiReply): void {
	ctx.set("Cache-Control", reply.cache_control ?? cacheControlOf(ctx.path));
	for (const [name, value] of Object.entries(reply.headers ?? {})) ctx.set(name, value);
	if (reply.etag !== undefined) ctx.set("ETag", reply.etag);
	if (reply.status === 202 && !ctx.response.get("Retry-After"))
		ctx.set("Retry-After", String(ACCEPTED_RETRY_AFTER_SECONDS));
	if (isNotModified(ctx, reply)) {
		ctx.body = null;
		ctx.status = 304;
		return;
	}
	const { body } = reply;
	if (body === null) ctx.body = null;
	else {
		ctx.body = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		ctx.type = reply.content_type ?? JSON_TYPE;
	}
	ctx.status = reply.status;
}
