import { createHash, createSecretKey, type KeyObject } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { ApiError } from "../errors.ts";
import type { Account } from "../services.ts";

export const ACCESS_TTL_SECONDS = 8 * 3600;
export const REFRESH_TTL_SECONDS = 30 * 24 * 3600;
export const TOKEN_ALGORITHM = "HS256";
/** An HMAC key shorter than its digest is the weakest part (RFC 7518 3.2). */
const SECRET_BYTES_MIN = 32;

export interface SigningKey {
	/** Names the key in token headers; says nothing about the secret that its signatures do not. */
	kid: string;
	key: KeyObject;
}

/** The first secret signs, all verify. Throws when one is shorter than 32 bytes or none is given. */
export function createSigningKeys(secrets: readonly string[]): readonly [SigningKey, ...SigningKey[]] {
	const keys = secrets.map((secret) => {
		const bytes = Buffer.from(secret, "utf8");
		if (bytes.length < SECRET_BYTES_MIN)
			throw new RangeError(`a JWT secret needs ${SECRET_BYTES_MIN} bytes, got ${bytes.length}`);
		const kid = createHash("sha256").update("lookout key id").update(bytes).digest("hex").slice(0, 12);
		return { kid, key: createSecretKey(bytes) };
	});
	const [first, ...rest] = keys;
	if (!first) throw new RangeError("at least one JWT secret is needed");
	return [first, ...rest];
}

export const accessClaimsSchema = z.object({
	sub: z.uuid(),
	email: z.string(),
	role: z.enum(["admin", "trader", "viewer", "api_only"]),
	tenant_id: z.string(),
	sid: z.string().min(1),
	exp: z.number(),
	iat: z.number(),
	jti: z.string().min(1),
	type: z.literal("access"),
});
export type AccessClaims = z.infer<typeof accessClaimsSchema>;

export const refreshClaimsSchema = z.object({
	sub: z.uuid(),
	sid: z.string().min(1),
	exp: z.number(),
	iat: z.number(),
	jti: z.string().min(1),
	type: z.literal("refresh"),
});
export type RefreshClaims = z.infer<typeof refreshClaimsSchema>;

export interface TokenPair {
	access_token: string;
	refresh_token: string;
	token_type: "bearer";
	expires_in: number;
}

export interface Tokens {
	/**
	 * A pair is a function of its arguments: the same login, jti and iat give the same refresh token, so a
	 * repeat within the grace can be answered alike without a token ever being stored.
	 */
	issue(
		account: Pick<Account, "user_id" | "email" | "role">,
		sid: string,
		jti: string,
		iatSeconds: number,
	): Promise<TokenPair>;
	/** Throws ApiError token_invalid or token_expired. */
	verifyRefresh(token: string): Promise<RefreshClaims>;
}

export function createTokens(keys: readonly [SigningKey, ...SigningKey[]], clock: Clock): Tokens {
	const [signing] = keys;
	const sign = (
		claims: Record<string, unknown>,
		subject: string,
		jti: string,
		iat: number,
		ttl: number,
	): Promise<string> =>
		new SignJWT(claims)
			.setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: "JWT", kid: signing.kid })
			.setSubject(subject)
			.setJti(jti)
			.setIssuedAt(iat)
			.setExpirationTime(iat + ttl)
			.sign(signing.key);
	return {
		async issue(account, sid, jti, iat) {
			const access = { email: account.email, role: account.role, tenant_id: "", sid, type: "access" };
			const [access_token, refresh_token] = await Promise.all([
				sign(access, account.user_id, `${jti}.access`, iat, ACCESS_TTL_SECONDS),
				sign({ sid, type: "refresh" }, account.user_id, jti, iat, REFRESH_TTL_SECONDS),
			]);
			return { access_token, refresh_token, token_type: "bearer", expires_in: ACCESS_TTL_SECONDS };
		},
		async verifyRefresh(token) {
			const payload = await verifyWithAny(token, keys, clock);
			const claims = refreshClaimsSchema.safeParse(payload);
			if (!claims.success) throw new ApiError("token_invalid", "The refresh token is not valid");
			return claims.data;
		},
	};
}

async function verifyWithAny(token: string, keys: readonly SigningKey[], clock: Clock): Promise<unknown> {
	for (const { key } of keys) {
		try {
			const options = { algorithms: [TOKEN_ALGORITHM], requiredClaims: ["exp"], currentDate: new Date(clock.now()) };
			return (await jwtVerify(token, key, options)).payload;
		} catch (error) {
			if (error instanceof errors.JWTExpired) throw new ApiError("token_expired", "The refresh token has expired");
			if (!(error instanceof errors.JOSEError)) throw error;
		}
	}
	throw new ApiError("token_invalid", "The refresh token is not valid");
}
