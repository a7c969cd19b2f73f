import type { IncomingMessage, ServerResponse } from "node:http";
import cors from "@koa/cors";
import helmet from "helmet";
import type { Context, Middleware, Next } from "koa";
import compress from "koa-compress";
import { BROTLI, COMPRESSED_BYTES_MIN } from "./encodings.ts";

const EXPOSED_HEADERS = [
	"Retry-After",
	"Location",
	"ETag",
	"Content-Location",
	"X-Request-ID",
	"X-RateLimit-Limit",
	"X-RateLimit-Remaining",
	"X-RateLimit-Reset",
	"Idempotent-Replayed",
];
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const PREFLIGHT_SECONDS = 600;

/**
 * Everything comes from this server, no script stands in a page. Styles may be set inline (the chart and
 * reference pages do). No `upgrade-insecure-requests`: it breaks plain-http installs on a local network.
 */
const HELMET: Parameters<typeof helmet>[0] = {
	// Whether a host is reached by TLS only is the word of whoever terminates it.
	strictTransportSecurity: false,
	xFrameOptions: { action: "deny" },
	contentSecurityPolicy: {
		useDefaults: false,
		directives: {
			defaultSrc: ["'self'"],
			scriptSrc: ["'self'"],
			styleSrc: ["'self'", "'unsafe-inline'"],
			imgSrc: ["'self'", "data:"],
			connectSrc: ["'self'"],
			objectSrc: ["'none'"],
			baseUri: ["'none'"],
			formAction: ["'self'"],
			frameAncestors: ["'none'"],
		},
	},
};

/** What helmet sets is the same on every answer, so it is asked once and not by its dozen middlewares each time. */
function helmetHeaders(): string[] {
	const headers = new Map<string, string>();
	const recorder = {
		setHeader: (name: string, value: string) => void headers.set(name, value),
		removeHeader: (name: string) => void headers.delete(name),
	};
	helmet(HELMET)({} as IncomingMessage, recorder as unknown as ServerResponse, (error) => {
		if (error) throw error;
	});
	return [...headers].flat();
}

/** Name, value, name, value. */
export const SECURITY_HEADERS: readonly string[] = helmetHeaders();

export const securityHeaders: Middleware = (ctx, next) => {
	for (let i = 0; i < SECURITY_HEADERS.length; i += 2)
		ctx.res.setHeader(SECURITY_HEADERS[i] as string, SECURITY_HEADERS[i + 1] as string);
	return next();
};

/** Runs `middleware` for requests that have the header; the others only learn that the answer depends on it. */
const onlyWith =
	(header: string, middleware: Middleware): Middleware =>
	(ctx, next) => {
		if (ctx.req.headers[header.toLowerCase()] !== undefined) return middleware(ctx, next);
		ctx.vary(header);
		return next();
	};

/** CORS for the configured origins only; its headers stand on errors too, because the error answer comes from outside it. */
export function crossOrigin(origins: readonly string[]): Middleware {
	const allowed = new Set(origins);
	return onlyWith(
		"Origin",
		cors({
			origin: (ctx: Context) => (allowed.has(ctx.get("Origin")) ? ctx.get("Origin") : ""),
			credentials: true,
			exposeHeaders: EXPOSED_HEADERS,
			allowMethods: METHODS.split(", "),
			maxAge: PREFLIGHT_SECONDS,
		}) as unknown as Middleware,
	);
}

/** Every OPTIONS is public; a preflight of a known origin was answered before. */
export function publicOptions(ctx: Context, next: Next): Promise<void> | void {
	if (ctx.method !== "OPTIONS") return next();
	ctx.set("Allow", METHODS);
	ctx.set("Cache-Control", "no-store");
	ctx.status = 204;
}

/** Event streams are left alone: a compressor would hold their events back. */
export const compression = (): Middleware =>
	onlyWith(
		"Accept-Encoding",
		compress({
			threshold: COMPRESSED_BYTES_MIN,
			br: BROTLI,
			filter: (type) => type !== "text/event-stream" && /json|text|javascript|svg/.test(type),
		}) as unknown as Middleware,
	);
