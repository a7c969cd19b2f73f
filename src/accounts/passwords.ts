import { scrypt, timingSafeEqual } from "node:crypto";
import { ApiError } from "../errors.ts";
import type { Entropy } from "./entropy.ts";

export const PASSWORD_LENGTH_MIN = 8;
/** A longer one only buys CPU time of the server. */
export const PASSWORD_LENGTH_MAX = 1024;

export interface ScryptCost {
	/** log2 of N. */
	n_log2: number;
	r: number;
	p: number;
}

/** N=2^15, r=8, p=3: 32 MiB and about 0.2 s a hash. */
export const SCRYPT_COST: ScryptCost = { n_log2: 15, r: 8, p: 3 };

export interface PasswordHasher {
	hash(password: string): Promise<string>;
	/** `stored` null (no such account) costs the same time and is false. */
	verify(password: string, stored: string | null): Promise<boolean>;
}

const KEY_BYTES = 32;

function derive(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
	const N = 2 ** cost.n_log2;
	// scrypt needs 128*N*r bytes; Node's default limit is just below our cost.
	const options = { N, r: cost.r, p: cost.p, maxmem: 128 * N * cost.r + 1024 * 1024 };
	return new Promise((resolve, reject) => {
		scrypt(password, salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
	});
}

/** `scrypt$15$8$3$<salt>$<key>`; null when the text is something else. */
function parse(stored: string): { cost: ScryptCost; salt: Buffer; key: Buffer } | null {
	const [kind, n, r, p, salt, key, ...rest] = stored.split("$");
	if (kind !== "scrypt" || !n || !r || !p || !salt || !key || rest.length > 0) return null;
	const cost = { n_log2: Number(n), r: Number(r), p: Number(p) };
	return { cost, salt: Buffer.from(salt, "base64url"), key: Buffer.from(key, "base64url") };
}

/**
 * At most `concurrency` hashes at once and `queueMax` waiting: a flood of logins can neither fill the
 * memory (32 MiB a hash) nor take all threads of the pool. Beyond it: 503 `overloaded`.
 */
function createTurnstile(concurrency: number, queueMax: number) {
	let running = 0;
	const waiting: (() => void)[] = [];
	return async <T>(work: () => Promise<T>): Promise<T> => {
		if (running >= concurrency) {
			if (waiting.length >= queueMax) throw new ApiError("overloaded");
			await new Promise<void>((resolve) => waiting.push(resolve));
		} else running += 1;
		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next) next();
			else running -= 1;
		}
	};
}

export interface HasherOptions {
	cost?: ScryptCost;
	concurrency?: number;
	queueMax?: number;
}

export function createPasswordHasher(entropy: Entropy, options: HasherOptions = {}): PasswordHasher {
	const cost = options.cost ?? SCRYPT_COST;
	const inTurn = createTurnstile(options.concurrency ?? 2, options.queueMax ?? 32);
	const decoy = { cost, salt: Buffer.from(entropy.token(16), "base64url"), key: Buffer.alloc(KEY_BYTES) };
	return {
		hash: (password) =>
			inTurn(async () => {
				const salt = Buffer.from(entropy.token(16), "base64url");
				const key = await derive(password, salt, cost);
				return ["scrypt", cost.n_log2, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join("$");
			}),
		verify: (password, stored) =>
			inTurn(async () => {
				const known = stored === null ? null : parse(stored);
				const target = known ?? decoy;
				const key = await derive(password, target.salt, target.cost);
				const equal = key.length === target.key.length && timingSafeEqual(key, target.key);
				return known !== null && equal;
			}),
	};
}
