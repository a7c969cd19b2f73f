import { Readable } from "node:stream";
import type { Context, Next } from "koa";
import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";
import type { ApiMeter } from "./deps.ts";
import { keepState, stateOf } from "./state.ts";

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** The requests in flight of one app, and whether it still takes new ones. */
export interface Lifetime {
	begin(ctx: Context, next: Next): Promise<void>;
	/** Refuses what is new while draining; health paths pass. */
	refuseNew(isHealth: (path: string) => boolean): (ctx: Context, next: Next) => Promise<void>;
	beginShutdown(): void;
	draining(): boolean;
	inFlight(): number;
}

export function createLifetime(clock: Clock, entropy: Entropy, meter: ApiMeter | undefined): Lifetime {
	const open = new Set<AbortController>();
	let draining = false;
	const gone = new Error("the client went away");
	const shuttingDown = new Error("the server is shutting down");
	return {
		async begin(ctx, next) {
			const given = ctx.get("X-Request-ID");
			const requestId = REQUEST_ID.test(given) ? given : entropy.uuid();
			const controller = new AbortController();
			keepState(ctx, {
				requestId,
				controller,
				draining: () => draining,
				route: "unmatched",
				claims: null,
				viewer: null,
			});
			ctx.set("X-Request-ID", requestId);
			ctx.res.once("close", () => {
				if (!ctx.res.writableFinished) controller.abort(gone);
			});
			const startedAtMs = clock.now();
			open.add(controller);
			try {
				await next();
			} finally {
				// A stream is in flight until its response is over.
				if (ctx.body instanceof Readable && !ctx.res.closed) ctx.res.once("close", () => open.delete(controller));
				else open.delete(controller);
				// The connection's next request belongs to another process.
				if (draining && !ctx.headerSent) ctx.set("Connection", "close");
				meter?.request(stateOf(ctx).route, ctx.method, ctx.status, clock.now() - startedAtMs);
			}
		},
		refuseNew: (isHealth) => (ctx, next) => {
			if (draining && !isHealth(ctx.path)) throw new ApiError("shutting_down");
			return next();
		},
		beginShutdown() {
			draining = true;
			for (const controller of open) controller.abort(shuttingDown);
		},
		draining: () => draining,
		inFlight: () => open.size,
	};
}
