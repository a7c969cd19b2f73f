import Router from "@koa/router";
import type { Context, Middleware } from "koa";
import type { Idempotency } from "../accounts/idempotency.ts";
import type { Clock } from "../clock.ts";
import { ApiError } from "../errors.ts";
import type { Viewer } from "../store/contract.ts";
import { type Admit, addressOf } from "./admit.ts";
import { readBody, refuseLarge } from "./body.ts";
import { answerOnce } from "./idempotency.ts";
import { API_PREFIX, send } from "./reply.ts";
import type { ApiRequest, RouteSpec } from "./route.ts";
import { stateOf } from "./state.ts";
import { sendStream } from "./stream.ts";
import { validate } from "./validate.ts";

/** `/opportunities/status/{scan_id}` -> the router's `/opportunities/status/:scan_id`. */
const routerPath = (path: string): string => path.replace(/\{(\w+)\}/g, ":$1");

/** What stands before a handler. */
export interface Gates {
	admit: Admit;
	idempotency: Idempotency;
	/** Measures how long a reader of a stream has taken nothing. */
	clock: Clock;
}

const NOBODY: Viewer = { user_id: "", role: "viewer" };

export function lowerCaseHeaders(ctx: Context): Record<string, string | undefined> {
	const headers: Record<string, string | undefined> = {};
	for (const [name, value] of Object.entries(ctx.req.headers))
		headers[name] = Array.isArray(value) ? value.join(", ") : value;
	return headers;
}

function requireRole(spec: RouteSpec, viewer: Viewer | null): void {
	if (spec.roles && (!viewer || !spec.roles.includes(viewer.role))) throw new ApiError("insufficient_permissions");
}

/** Admission -> roles -> body -> validation -> handler -> reply: the journey of every routed request. */
async function serve(
	ctx: Context,
	spec: RouteSpec,
	params: Record<string, string>,
	{ admit, idempotency, clock }: Gates,
): Promise<void> {
	const state = stateOf(ctx);
	state.route = `${API_PREFIX}${spec.path}`;
	await admit(ctx, spec.rate, spec.allow_revoked);
	requireRole(spec, state.viewer);
	spec.precheck?.();
	refuseLarge(ctx);
	const body = spec.body ? await readBody(ctx) : {};
	const parsed = validate([
		{ name: "params", schema: spec.params, value: params },
		{ name: "query", schema: spec.query, value: { ...ctx.query } },
		{ name: "body", schema: spec.body, value: body },
	]);
	const { claims } = state;
	const request: ApiRequest<unknown, unknown, unknown> = {
		...parsed,
		viewer: state.viewer ?? NOBODY,
		session: { sid: claims?.sid ?? "", jti: claims?.jti ?? "", exp: claims?.exp ?? 0 },
		headers: lowerCaseHeaders(ctx),
		get address() {
			return addressOf(ctx);
		},
		request_id: state.requestId,
		path: ctx.path,
		get signal() {
			return state.controller.signal;
		},
	};
	const reply = await (spec.once ? answerOnce(idempotency, spec, request, body) : spec.handler(request));
	if (reply.stream) sendStream(ctx, reply.stream, clock);
	else send(ctx, reply);
}

/** Unknown path: 404; known path, other method: 405 with what is allowed. Counted like any call. */
async function refuse(ctx: Context, admit: Admit): Promise<never> {
	await admit(ctx, "other");
	const matched = (ctx as { matched?: { methods: string[] }[] }).matched ?? [];
	const methods = new Set(matched.flatMap((layer) => layer.methods));
	if (methods.size === 0) throw new ApiError("not_found");
	ctx.set("Allow", [...methods, "OPTIONS"].join(", "));
	throw new ApiError("method_not_allowed");
}

/** The table as middleware. Throws at start when two routes have the same method and path. */
export function dispatch(specs: readonly RouteSpec[], gates: Gates): Middleware[] {
	const router = new Router({ prefix: API_PREFIX, sensitive: true });
	const seen = new Set<string>();
	for (const spec of specs) {
		const name = `${spec.method} ${spec.path}`;
		if (seen.has(name)) throw new Error(`two routes for ${name}`);
		seen.add(name);
		router.register(routerPath(spec.path), spec.method === "get" ? ["get", "head"] : [spec.method], (ctx) =>
			serve(ctx as unknown as Context, spec, ctx.params as Record<string, string>, gates),
		);
	}
	return [router.routes() as unknown as Middleware, (ctx) => refuse(ctx, gates.admit)];
}
