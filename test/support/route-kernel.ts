import type { ApiReply, RouteSpec } from "../../src/api/route.ts";
import { ApiError, validationFailed } from "../../src/errors.ts";
import type { Viewer } from "../../src/store/contract.ts";

export interface Call {
	method: RouteSpec["method"];
	path: string;
	viewer: Viewer;
	query?: Record<string, string>;
	body?: unknown;
	headers?: Record<string, string>;
	signal?: AbortSignal;
}

/** What a client would see: the text and its parse. */
export interface Answer {
	status: number;
	text: string;
	body: Record<string, never> & { [member: string]: unknown };
	headers: Record<string, string>;
	etag: string | undefined;
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
	const names: string[] = [];
	const source = pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
		names.push(name);
		return "([^/]+)";
	});
	const match = new RegExp(`^${source}$`).exec(path);
	if (!match) return null;
	return Object.fromEntries(names.map((name, i) => [name, match[i + 1] ?? ""]));
}

function parse(schema: RouteSpec["params"], where: string, value: unknown): unknown {
	if (!schema) return value;
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	throw validationFailed(
		parsed.error.issues.map((issue) => ({ path: [where, ...issue.path].join("."), message: issue.message })),
	);
}

function problem(error: ApiError, path: string): Answer {
	const { code, http_status: status, message: detail, extra } = error;
	const body = {
		type: `urn:problem-type:${code}`,
		title: code,
		status,
		detail,
		instance: path,
		code,
		request_id: "r",
		error: detail,
		...extra,
	};
	return { status, text: JSON.stringify(body), body: body as unknown as Answer["body"], headers: {}, etag: undefined };
}

/** The least kernel that honours a route table: roles, validation, reply, problem. */
export function createRouteKernel(routes: readonly RouteSpec[]) {
	return async function call({
		method,
		path,
		viewer,
		query = {},
		body = {},
		headers = {},
		signal,
	}: Call): Promise<Answer> {
		try {
			for (const spec of routes) {
				const params = spec.method === method ? matchPath(spec.path, path) : null;
				if (!params) continue;
				if (spec.roles && !spec.roles.includes(viewer.role)) throw new ApiError("insufficient_permissions");
				const reply: ApiReply = await spec.handler({
					params: parse(spec.params, "params", params),
					query: parse(spec.query, "query", query),
					body: parse(spec.body, "body", body),
					viewer,
					session: { sid: "s", jti: "j", exp: 0 },
					headers,
					address: "127.0.0.1",
					request_id: "r",
					path,
					signal: signal ?? new AbortController().signal,
				});
				const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
				return { status: reply.status, text, body: JSON.parse(text), headers: reply.headers ?? {}, etag: reply.etag };
			}
			throw new ApiError("not_found");
		} catch (error) {
			if (error instanceof ApiError) return problem(error, path);
			throw error;
		}
	};
}
