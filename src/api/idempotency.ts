import type { Idempotency } from "../accounts/idempotency.ts";
import { canonicalJson } from "../canonical.ts";
import { ApiError, validationFailed } from "../errors.ts";
import type { ApiReply, ApiRequest, RouteSpec } from "./route.ts";

/** Printable ASCII, 1 to 255 characters. */
const KEY = /^[\x20-\x7e]{1,255}$/;

/** What is kept of an answer: the facts it was made of, or the answer as it was. */
interface Remembered {
	facts?: object;
	status: number;
	body: ApiReply["body"];
	headers: Record<string, string>;
}

function keyOf(header: string | undefined): string | null {
	if (header === undefined) return null;
	if (KEY.test(header)) return header;
	throw validationFailed([{ path: "header.idempotency-key", message: "must be 1 to 255 printable ASCII characters" }]);
}

/** Two requests are the same when path, query and body say the same; how long to wait does not count. */
function requestText({ path, query, body }: Pick<ApiRequest<unknown, unknown, unknown>, "path" | "query" | "body">) {
	const { wait: _wait, ...rest } = (query ?? {}) as Record<string, unknown>;
	return canonicalJson({ path, query: rest, body });
}

const remembered = ({ remember, status, body, headers = {} }: ApiReply): Remembered =>
	remember ? { facts: remember, status, body: null, headers } : { status, body, headers };

/**
 * Runs the handler once per (user, route, Idempotency-Key). A repetition gets the first answer, with the scan as
 * it stands now; a refused request does not use the key up. `rawBody`: the body as it was sent.
 */
export async function answerOnce(
	idempotency: Idempotency,
	spec: RouteSpec,
	request: ApiRequest<unknown, unknown, unknown>,
	rawBody: unknown,
): Promise<ApiReply> {
	const key = keyOf(request.headers["idempotency-key"]);
	if (key === null) return spec.handler(request);
	const text = requestText({ path: request.path, query: request.query, body: rawBody });
	const reservation = await idempotency.reserve(request.viewer.user_id, `${spec.method} ${spec.path}`, key, text);
	switch (reservation.kind) {
		case "reused":
			throw new ApiError("idempotency_key_reused");
		case "in_flight":
			throw new ApiError("idempotency_in_flight", undefined, {
				retry_after_seconds: Math.max(1, Math.ceil(reservation.retry_after_ms / 1000)),
			});
		case "done":
			return replay(spec, request, JSON.parse(reservation.answer) as Remembered);
		case "granted":
			try {
				const reply = await spec.handler({ ...request, reserved_scan_id: reservation.scan_id });
				await reservation.conclude("answer", JSON.stringify(remembered(reply)));
				return reply;
			} catch (error) {
				const refused = error instanceof ApiError && error.http_status < 500;
				// The refusal matters more than giving the key back; what cannot be given back now ends with its lease.
				await reservation.conclude(refused ? "refused" : "unknown").catch(() => undefined);
				throw error;
			}
	}
}

async function replay(
	spec: RouteSpec,
	request: ApiRequest<unknown, unknown, unknown>,
	first: Remembered,
): Promise<ApiReply> {
	const reply =
		spec.once?.replay && first.facts
			? await spec.once.replay(first.facts, request)
			: { status: first.status, body: first.body, headers: first.headers };
	return { ...reply, headers: { ...reply.headers, "Idempotent-Replayed": "true" } };
}
