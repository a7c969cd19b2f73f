import type { Middleware } from "koa";
import { ApiError } from "../errors.ts";
import { type Admit, addressOf } from "./admit.ts";
import type { RootRoute } from "./deps.ts";
import { lowerCaseHeaders } from "./dispatch.ts";
import { send } from "./reply.ts";
import { stateOf } from "./state.ts";

/** Public paths outside the prefix: health, metrics, API description and its page. */
export function rootPaths(routes: readonly RootRoute[], admit: Admit): Middleware {
	const byPath = new Map(routes.map((route) => [route.path, route]));
	return async (ctx, next) => {
		const route = byPath.get(ctx.path.length > 1 ? ctx.path.replace(/\/$/, "") : ctx.path);
		if (!route) return next();
		const state = stateOf(ctx);
		state.route = route.path;
		if (ctx.method !== "GET" && ctx.method !== "HEAD") {
			ctx.set("Allow", "GET, HEAD, OPTIONS");
			throw new ApiError("method_not_allowed");
		}
		await admit(ctx, route.rate);
		const headers = lowerCaseHeaders(ctx);
		send(
			ctx,
			await route.handler({
				headers,
				address: addressOf(ctx),
				request_id: state.requestId,
				signal: state.controller.signal,
			}),
		);
	};
}
