import type { Json } from "./json.ts";
import { accessToken, renew } from "./session.ts";

export type { Json };

/** A refusal in the server's own words. */
export class ApiProblem extends Error {
	readonly status: number;
	readonly code: string;
	readonly body: Json;
	constructor(status: number, body: Json) {
		const fields = Array.isArray(body.errors)
			? body.errors.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`).join("; ")
			: "";
		super(fields || String(body.detail ?? `The server answered ${status}`));
		this.name = "ApiProblem";
		this.status = status;
		this.code = String(body.code ?? "");
		this.body = body;
	}
}

export interface CallOptions {
	body?: Json;
	headers?: Record<string, string>;
	signal?: AbortSignal;
	/** Statuses that are answers to the caller although they are no success. */
	accept?: readonly number[];
}

export interface Reply {
	status: number;
	body: Json;
	headers: Headers;
}

const CALL_LIMIT_MS = 45_000;

function send(method: string, path: string, { body, headers = {}, signal }: CallOptions): Promise<Response> {
	const token = accessToken();
	const limit = AbortSignal.timeout(CALL_LIMIT_MS);
	return fetch(`/api/v1${path}`, {
		method,
		headers: {
			...(token ? { authorization: `Bearer ${token}` } : {}),
			...(body ? { "content-type": "application/json" } : {}),
			...headers,
		},
		...(body ? { body: JSON.stringify(body) } : {}),
		signal: signal ? AbortSignal.any([signal, limit]) : limit,
	});
}

/** Sends with the login of this tab, renewing it once when it has run out. The body is unread. */
export async function open(method: string, path: string, options: CallOptions = {}): Promise<Response> {
	const first = await send(method, path, options);
	if (first.status !== 401 || !(await renew())) return first;
	return send(method, path, options);
}

/** Throws ApiProblem for a refusal; a network failure is told as such. */
export async function call(method: string, path: string, options: CallOptions = {}): Promise<Reply> {
	const response = await open(method, path, options).catch((error: unknown) => {
		if (options.signal?.aborted) throw error;
		throw new ApiProblem(0, { detail: "The server cannot be reached. What you see may be old.", code: "unreachable" });
	});
	const text = await response.text();
	const body: Json = text ? JSON.parse(text) : {};
	if (response.ok || options.accept?.includes(response.status)) {
		return { status: response.status, body, headers: response.headers };
	}
	throw new ApiProblem(response.status, body);
}

export const get = (path: string, options?: CallOptions): Promise<Reply> => call("GET", path, options);
export const post = (path: string, body: Json = {}, options: CallOptions = {}): Promise<Reply> =>
	call("POST", path, { ...options, body });
