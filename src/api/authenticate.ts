import type { Context, Next } from "koa";
import jwt from "koa-jwt";
import { type AccessClaims, accessClaimsSchema, type SigningKey, TOKEN_ALGORITHM } from "../accounts/tokens.ts";
import type { Clock } from "../clock.ts";
import { ApiError } from "../errors.ts";
import { stateOf } from "./state.ts";

/** Verified tokens remembered per process; beyond it the oldest is verified again. */
const REMEMBERED_MAX = 10_000;
/** As nearly every client writes it. */
const SCHEME = "Bearer ";
const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)$/i;

/** Signatures that were verified, until their tokens expire; what Redis decides is asked every time. */
function createMemory(clock: Clock) {
	const claimsByToken = new Map<string, AccessClaims>();
	return {
		get(token: string): AccessClaims | null {
			const claims = claimsByToken.get(token);
			if (!claims) return null;
			if (claims.exp * 1000 > clock.now()) return claims;
			claimsByToken.delete(token);
			return null;
		},
		set(token: string, claims: AccessClaims): void {
			const oldest = claimsByToken.size >= REMEMBERED_MAX ? claimsByToken.keys().next() : null;
			if (oldest && !oldest.done) claimsByToken.delete(oldest.value);
			claimsByToken.set(token, claims);
		},
	};
}

/** The library's options with what its types leave out: keys as KeyObject, and the moment to judge `exp` by. */
function verifierOptions(keys: readonly SigningKey[], clock: Clock): jwt.Options {
	const all = keys.map((signing) => signing.key);
	const byId = new Map(keys.map((signing) => [signing.kid, signing.key]));
	const secret = async (header: { kid?: unknown }) => byId.get(String(header.kid)) ?? all;
	const options = {
		secret,
		algorithms: [TOKEN_ALGORITHM],
		key: "claims",
		get clockTimestamp() {
			return Math.floor(clock.now() / 1000);
		},
	};
	return options as unknown as jwt.Options;
}

export interface Authentication {
	/** Claims of a token that was verified here before and has not expired; null: ask the middleware. */
	remembered(authorization: string | undefined): AccessClaims | null;
	middleware(ctx: Context, next: Next): Promise<void>;
}

/**
 * Who calls: signature, lifetime and claims of the access token. Whether the login still
 * stands is decided later, in Redis. Throws authentication_required, token_expired, token_invalid.
 */
export function authenticate(keys: readonly SigningKey[], clock: Clock): Authentication {
	const verify = jwt(verifierOptions(keys, clock));
	const memory = createMemory(clock);

	async function claimsOf(ctx: Context, token: string): Promise<AccessClaims> {
		try {
			await verify(ctx, () => Promise.resolve());
		} catch (error) {
			const cause = (error as { originalError?: { name?: string } }).originalError;
			throw new ApiError(cause?.name === "TokenExpiredError" ? "token_expired" : "token_invalid");
		}
		const claims = accessClaimsSchema.safeParse(ctx.state["claims"]);
		// The library takes a token without exp; ours must have one (and be an access token).
		if (!claims.success || claims.data.exp * 1000 <= clock.now()) throw new ApiError("token_invalid");
		memory.set(token, claims.data);
		return claims.data;
	}

	return {
		remembered: (authorization) =>
			authorization?.startsWith(SCHEME) ? memory.get(authorization.slice(SCHEME.length)) : null,
		async middleware(ctx, next) {
			const token = BEARER.exec(ctx.get("Authorization"))?.[1];
			if (!token) throw new ApiError("authentication_required");
			const claims = memory.get(token) ?? (await claimsOf(ctx, token));
			const state = stateOf(ctx);
			state.claims = claims;
			state.viewer = { user_id: claims.sub, role: claims.role };
			return next();
		},
	};
}
