import type { Context } from "koa";
import type { Admission } from "../accounts/admission.ts";
import type { AccessClaims } from "../accounts/tokens.ts";
import type { Viewer } from "../store/contract.ts";

/** What the kernel knows of a request while it passes through. */
export interface RequestState {
	requestId: string;
	/** Aborted when the client goes away and when the server drains. */
	readonly controller: AbortController;
	draining(): boolean;
	/** Path template, for logs and counters. */
	route: string;
	claims: AccessClaims | null;
	viewer: Viewer | null;
}

const states = new WeakMap<Context["req"], RequestState>();

export function stateOf(ctx: Context): RequestState {
	const state = states.get(ctx.req);
	if (!state) throw new Error("the request has no state: the lifetime middleware must come first");
	return state;
}

export const keepState = (ctx: Context, state: RequestState): void => {
	states.set(ctx.req, state);
};

/** What was begun for a request before the middlewares took it. */
export interface Prelude {
	startedAtMs: number;
	/** Counted already; may be a refusal or a failure. */
	admission: Promise<Admission>;
	/** What was asked beside it failed: the store has had its time, and is not asked again. */
	failure?: unknown;
}

const preludes = new WeakMap<Context["req"], Prelude>();

export const keepPrelude = (request: Context["req"], prelude: Prelude): void => {
	preludes.set(request, prelude);
};

export const preludeOf = (ctx: Context): Prelude | undefined => preludes.get(ctx.req);
