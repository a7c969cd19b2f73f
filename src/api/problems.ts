import type { Context, Next } from "koa";
import { ApiError, ERROR_CODES } from "../errors.ts";
import { isStoreFailure } from "../store-failure.ts";
import type { ApiLogger } from "./deps.ts";
import { cacheControlOf } from "./reply.ts";
import { stateOf } from "./state.ts";

/** Seconds a client should wait where nothing better is known. */
const RETRY_AFTER_SECONDS: Record<string, number> = { overloaded: 5, shutting_down: 5 };

/** Errors of the HTTP libraries below a handler, by the status they carry. */
const BY_STATUS: Record<number, "malformed_json" | "payload_too_large" | "unsupported_media_type"> = {
	400: "malformed_json",
	413: "payload_too_large",
	415: "unsupported_media_type",
};

/** Whatever was thrown, as one of the codes of src/errors.ts. */
export function toApiError(error: unknown): ApiError {
	if (error instanceof ApiError) return error;
	if (isStoreFailure(error)) return new ApiError("store_unavailable");
	const status = (error as { status?: unknown } | null)?.status;
	const code = typeof status === "number" ? BY_STATUS[status] : undefined;
	return new ApiError(code ?? "internal_error");
}

/**
 * The problem body (RFC 9457 and the legacy `error`). `extra` members come last and win; where they hold
 * a `status` word, the number moves to `http_status`. A 5xx says its title and nothing else.
 */
export function problemBody(error: ApiError, instance: string, requestId: string): Record<string, unknown> {
	const title = ERROR_CODES[error.code][1];
	const detail = error.http_status >= 500 ? title : error.message;
	const problem = {
		type: `urn:problem-type:${error.code}`,
		title,
		status: error.http_status,
		detail,
		instance,
		code: error.code,
		request_id: requestId,
		error: detail,
	};
	const moved = "status" in error.extra ? { http_status: error.http_status } : {};
	return { ...problem, ...moved, ...error.extra };
}

function retryAfterSeconds(error: ApiError): number | null {
	if (error.http_status !== 429 && error.http_status !== 503) return null;
	const told = error.extra["retry_after_seconds"];
	const seconds = typeof told === "number" ? told : (RETRY_AFTER_SECONDS[error.code] ?? 1);
	return Math.max(1, Math.ceil(seconds));
}

function answer(ctx: Context, thrown: ApiError): void {
	const retryAfter = retryAfterSeconds(thrown);
	const named = thrown.http_status === 429 && !("retry_after_seconds" in thrown.extra);
	const error = named
		? new ApiError(thrown.code, thrown.message, { ...thrown.extra, retry_after_seconds: retryAfter })
		: thrown;
	if (retryAfter !== null) ctx.set("Retry-After", String(retryAfter));
	if (error.http_status === 401) ctx.set("WWW-Authenticate", "Bearer");
	ctx.set("Cache-Control", cacheControlOf(ctx.path));
	ctx.remove("ETag");
	ctx.body = JSON.stringify(problemBody(error, ctx.path, stateOf(ctx).requestId));
	ctx.type = "application/problem+json";
	ctx.status = error.http_status;
}

/** What a log may hold of an error: never its command, arguments or body. */
function factsOf(error: unknown): Record<string, unknown> {
	if (!(error instanceof Error)) return { error_name: typeof error };
	return { error_name: error.name, error_message: error.message, error_stack: error.stack };
}

/** The one place where errors become answers. */
export function problems(logger: ApiLogger) {
	return async (ctx: Context, next: Next): Promise<void> => {
		try {
			await next();
		} catch (thrown) {
			const state = stateOf(ctx);
			const error = toApiError(thrown);
			const clientGone = state.controller.signal.aborted && !state.draining();
			if (error.http_status >= 500 && !clientGone) {
				const facts = { request_id: state.requestId, method: ctx.method, route: state.route, code: error.code };
				const cause = thrown === error ? (error.cause ?? error) : thrown;
				logger[error.code === "internal_error" ? "error" : "warn"]({ ...facts, ...factsOf(cause) }, "request failed");
			}
			const drained = error.code === "internal_error" && state.draining() && state.controller.signal.aborted;
			answer(ctx, drained ? new ApiError("shutting_down") : error);
		}
	};
}
