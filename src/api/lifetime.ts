import { Readable } from "node:stream";
import type { Context, Next } from "koa";
import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";
import type { ApiMeter } from "./deps.ts";
import { keepState, preludeOf, stateOf } from "./state.ts";

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** The requests in flight of one app, and whether it still takes new ones. */
export interface Lifetime {
	begin(ctx: Context, next: Next): Promise<void>;
	/** The same for a request that is answered without a context; each `enter` has its `leave`. */
	enter(): void;
	leave(): void;
	/** The id that the caller gave, if it is one, else a new one. */
	requestIdOf(given: string | undefined): string;
	/** Refuses what is new while draining; health paths pass. */
	refuseNew(isHealth: (path: string) => boolean): (ctx: Context, next: Next) => Promise<void>;
	beginShutdown(): void;
	draining(): boolean;
	inFlight(): number;
}

const gone = new Error("the client went away");
const shuttingDown = new Error("the server is shutting down");

/** One request's end from outside. */
interface Life {
	controller(): AbortController;
	abort(reason: Error): void;
}

/** Most requests never ask for their signal, which costs more than the rest of their state: made when asked for. */
function createLife(ctx: Context): Life {
	let made: AbortController | null = null;
	let reason: Error | null = null;
	const abort = (why: Error): void => {
		reason ??= why;
		made?.abort(why);
	};
	const leave = (): void => {
		if (!ctx.res.writableFinished) abort(gone);
	};
	return {
		abort,
		controller() {
			if (made) return made;
			made = new AbortController();
			if (ctx.res.closed) leave();
			else ctx.res.once("close", leave);
			if (reason) made.abort(reason);
			return made;
		},
	};
}

export function createLifetime(clock: Clock, entropy: Entropy, meter: ApiMeter | undefined): Lifetime {
	const open = new Set<Life>();
	let entered = 0;
	let draining = false;
	const requestIdOf = (given: string | undefined): string =>
		given !== undefined && REQUEST_ID.test(given) ? given : entropy.uuid();
	return {
		requestIdOf,
		enter() {
			entered += 1;
		},
		leave() {
			entered -= 1;
		},
		async begin(ctx, next) {
			const requestId = requestIdOf(ctx.get("X-Request-ID"));
			const life = createLife(ctx);
			keepState(ctx, {
				requestId,
				get controller() {
					return life.controller();
				},
				draining: () => draining,
				route: "unmatched",
				claims: null,
				viewer: null,
			});
			ctx.set("X-Request-ID", requestId);
			const startedAtMs = preludeOf(ctx)?.startedAtMs ?? clock.now();
			open.add(life);
			try {
				await next();
			} finally {
				// A stream is in flight until its response is over.
				if (ctx.body instanceof Readable && !ctx.res.closed) ctx.res.once("close", () => open.delete(life));
				else open.delete(life);
				// The connection's next request belongs to another process.
				if (draining && !ctx.headerSent) ctx.set("Connection", "close");
				meter?.request(stateOf(ctx).route, ctx.method, ctx.status, clock.now() - startedAtMs);
			}
		},
		refuseNew: (isHealth) => (ctx, next) => {
			// What was begun before the draining is not new.
			if (draining && !isHealth(ctx.path) && !preludeOf(ctx)) throw new ApiError("shutting_down");
			return next();
		},
		beginShutdown() {
			draining = true;
			for (const life of open) life.abort(shuttingDown);
		},
		draining: () => draining,
		inFlight: () => open.size + entered,
	};
}
