import { bodyParser } from "@koa/bodyparser";
import type { Context } from "koa";
import { ApiError, validationFailed } from "../errors.ts";
import { toApiError } from "./problems.ts";

export const BODY_BYTES_MAX = 1024 * 1024;
/** JSON is UTF-8 (RFC 8259 8.1); text in another charset would be misread, not refused. */
const OTHER_CHARSET = /;\s*charset=(?!"?(?:utf-8|us-ascii)"?\s*(?:;|$))/i;
const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)\s*(?:;|$)/i;

/** Gives up a member, so that it is ignored like any unknown one. */
const withoutPrototypes = (key: string, value: unknown): unknown => (key === "__proto__" ? undefined : value);

/**
 * The parser refuses a body that names `__proto__` anywhere, as it does broken JSON; both come with their
 * text. Such a key is unknown like any other. Throws SyntaxError for what is broken.
 */
function parsedAgain(error: unknown): unknown {
	const { body } = error as { body?: unknown };
	if (typeof body !== "string") throw error;
	return JSON.parse(body, withoutPrototypes);
}

const parse = bodyParser({
	enableTypes: ["json"],
	// By default the parser leaves a DELETE alone; whether there is a body was asked before.
	parsedMethods: ["POST", "PUT", "PATCH", "DELETE"],
	jsonLimit: BODY_BYTES_MAX,
	jsonStrict: false,
	// What is no JSON by its type was refused before; a missing type is taken as JSON.
	detectJSON: () => true,
	onError(error, ctx) {
		try {
			(ctx.request as { body?: unknown }).body = parsedAgain(error);
			return;
		} catch {
			// Then it is broken in itself.
		}
		const known = toApiError(error);
		// Whatever breaks while a body is read (bad compression, a broken charset) is the body's fault.
		throw known.http_status >= 500 ? new ApiError("malformed_json") : known;
	},
});

/** Refuses a body that says by its length that it is too large, on every route. */
export function refuseLarge(ctx: Context): void {
	const length = Number(ctx.get("Content-Length"));
	if (length > BODY_BYTES_MAX) throw new ApiError("payload_too_large");
}

/**
 * The JSON object of the request; `{}` without a body. Throws malformed_json, payload_too_large,
 * unsupported_media_type, validation_failed (not an object).
 */
export async function readBody(ctx: Context): Promise<Record<string, unknown>> {
	const hasBody = ctx.get("Transfer-Encoding") !== "" || Number(ctx.get("Content-Length")) > 0;
	if (!hasBody) return {};
	const type = ctx.get("Content-Type");
	if (type !== "" && (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type))) throw new ApiError("unsupported_media_type");
	await parse(ctx, () => Promise.resolve());
	const body: unknown = (ctx.request as { body?: unknown }).body;
	if (body === undefined || body === "") return {};
	if (typeof body !== "object" || body === null || Array.isArray(body)) {
		throw validationFailed([{ path: "body", message: "expected a JSON object" }]);
	}
	return body as Record<string, unknown>;
}
