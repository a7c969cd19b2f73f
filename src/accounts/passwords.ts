import { scrypt, timingSafeEqual } from "node:crypto";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";

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
	/**
	 * `stored` null (no such account) costs the same time and is false. `by` is whose share of the queue it
	 * takes (the client's address). Throws login_rate_limited when that share is used up.
	 */
	verify(password: string, stored: string | null, by?: string): Promise<boolean>;
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

/** Thrown when no more may wait; each caller says it in its own words. */
class QueueFull extends Error {}

/**
 * At most `concurrency` hashes at once, `queueMax` waiting in all and `shareMax` for one caller: a flood of
 * logins can neither fill the memory (32 MiB a hash) nor take all threads of the pool, and callers are
 * served in turn, so that one address cannot shut out the others. A full queue is about four seconds long.
 */
function createTurnstile(concurrency: number, queueMax: number, shareMax: number) {
	let running = 0;
	let total = 0;
	/** Callers in the order in which they are served next; a Map keeps it. */
	const waiting = new Map<string, (() => void)[]>();

	function next(): void {
		const [caller] = waiting;
		if (!caller) {
			running -= 1;
			return;
		}
		const [by, queue] = caller;
		const start = queue.shift();
		waiting.delete(by);
		if (queue.length > 0) waiting.set(by, queue);
		total -= 1;
		start?.();
	}

	return async <T>(by: string, work: () => Promise<T>): Promise<T> => {
		if (running < concurrency) running += 1;
		else {
			const queue = waiting.get(by) ?? [];
			if (total >= queueMax || queue.length >= shareMax) throw new QueueFull();
			total += 1;
			waiting.set(by, queue);
			await new Promise<void>((resolve) => queue.push(resolve));
		}
		try {
			return await work();
		} finally {
			next();
		}
	};
}

const refusedAs =
	(code: "overloaded" | "login_rate_limited") =>
	(error: unknown): never => {
		throw error instanceof QueueFull ? new ApiError(code, undefined, { retry_after_seconds: 1 }) : error;
	};

export interface HasherOptions {
	cost?: ScryptCost;
	concurrency?: number;
	queueMax?: number;
	shareMax?: number;
}

export function createPasswordHasher(entropy: Entropy, options: HasherOptions = {}): PasswordHasher {
	const cost = options.cost ?? SCRYPT_COST;
	const inTurn = createTurnstile(options.concurrency ?? 2, options.queueMax ?? 40, options.shareMax ?? 30);
	const decoy = { cost, salt: Buffer.from(entropy.token(16), "base64url"), key: Buffer.alloc(KEY_BYTES) };
	return {
		hash: (password) =>
			inTurn("", async () => {
				const salt = Buffer.from(entropy.token(16), "base64url");
				const key = await derive(password, salt, cost);
				return ["scrypt", cost.n_log2, cost.r, cost.p, salt.toString("base64url"), key.toString("base64url")].join("$");
			}).catch(refusedAs("overloaded")),
		verify: (password, stored, by = "") =>
			inTurn(by, async () => {
				const known = stored === null ? null : parse(stored);
				const target = known ?? decoy;
				const key = await derive(password, target.salt, target.cost);
				const equal = key.length === target.key.length && timingSafeEqual(key, target.key);
				return known !== null && equal;
			}).catch(refusedAs("login_rate_limited")),
	};
}
