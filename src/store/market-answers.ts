import type { Redis } from "ioredis";
import type { Look, SharedAnswer, SharedAnswers, SharedKey } from "../market/sharing.ts";
import { marketKeys, sourceAt } from "./keys.ts";
import { LAST, LOOK, PUT, RELEASE, RENEW } from "./market-scripts.ts";
import { runBinaryScript, runScript } from "./script-runner.ts";

/** Market answers in Redis, of one source all together. Beyond it the oldest go. */
export const SHARED_BYTES_MAX = 128 * 1024 * 1024;
/** One answer; larger ones stay in the process that fetched them. */
export const SHARED_ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Of a server whose memory is limited market answers take at most this part: scans must always find room. */
const MEMORY_SHARE_MAX = 0.25;
/** Longer than any answer asks to be kept. */
const KEPT_MS_MAX = 7 * 86_400_000;

export interface AnswerBounds {
	bytes_max?: number;
	answer_bytes_max?: number;
	/** Address that stands in for the exchanges; null or absent: none does. */
	base_url?: string | null;
}

/** Market answers that all processes share, compact and bounded, apart from everything about scans. */
export function createMarketAnswers(redis: Redis, bounds: AnswerBounds = {}): SharedAnswers {
	const answerBytesMax = bounds.answer_bytes_max ?? SHARED_ANSWER_BYTES_MAX;
	let bytesMax: Promise<number> | null = null;
	/** Asked once: the limit of a server seldom changes, and a wrong guess costs no more than a share of its memory. */
	const room = (): Promise<number> => {
		bytesMax ??= memoryOf(redis).then((limit) =>
			Math.floor(Math.min(bounds.bytes_max ?? SHARED_BYTES_MAX, (limit || Number.MAX_SAFE_INTEGER) * MEMORY_SHARE_MAX)),
		);
		bytesMax.catch(() => {
			bytesMax = null;
		});
		return bytesMax;
	};
	const keysAt = (source: string) => marketKeys(sourceAt(source, bounds.base_url ?? null));
	/** Names our connection in a lease, so that others see when we are dead; empty where the server does not tell. */
	let ownId: Promise<string> | null = null;
	redis.on("close", () => {
		ownId = null;
	});
	const connectionId = (): Promise<string> => {
		ownId ??= redis.client("ID").then(String, () => "");
		return ownId;
	};
	const keysOf = ({ source, name }: SharedKey) => {
		const keys = keysAt(source);
		return { ...keys, answer: keys.answers + name, lease: keys.leases + name, failure: keys.failures + name };
	};
	return {
		async look(key, needMs, token, leaseMs, begunAgoMs, mostMs) {
			const { answer, lease, failure } = keysOf(key);
			const asked = [Math.ceil(needMs), token, leaseMs, Math.floor(begunAgoMs), await connectionId(), mostOf(mostMs)];
			const reply = await runBinaryScript(redis, LOOK, [answer, lease, failure, ...asked]);
			return lookOf(reply as Buffer[]);
		},
		async put(key, { token, bytes, covers_ms, claims_ms, recheck_ms, fetched_ms, believed_ms, kept_ms, most_ms }) {
			const keys = keysOf(key);
			if (bytes.length > answerBytesMax) {
				await runScript(redis, RELEASE, [keys.lease, keys.failure, token, "", 0]);
				return false;
			}
			const names = [keys.answer, keys.lease, keys.failure, keys.ages, keys.sizes];
			const figures = [covers_ms, claims_ms, recheck_ms, Math.min(kept_ms, KEPT_MS_MAX)];
			const rest = [
				key.name,
				keys.answers,
				await room(),
				KEPT_MS_MAX,
				Math.ceil(fetched_ms),
				believed_ms ?? "",
				mostOf(most_ms),
			];
			await runBinaryScript(redis, PUT, [...names, token, Buffer.from(bytes), ...figures, ...rest]);
			return true;
		},
		async last(key) {
			const reply = (await runBinaryScript(redis, LAST, [keysOf(key).answer])) as Buffer[];
			return answerOf(reply[0], reply[1]);
		},
		async release(key, token, failure) {
			const { lease, failure: told } = keysOf(key);
			await runScript(redis, RELEASE, [lease, told, token, failure?.text ?? "", failure?.told_ms ?? 0]);
		},
		async renew(key, token, leaseMs) {
			const asked = [keysOf(key).lease, token, leaseMs, await connectionId()];
			return Number(await runScript(redis, RENEW, asked)) === 1;
		},
		async releaseDead(key, held) {
			const id = Number(held.split("|")[1] || Number.NaN);
			if (!Number.isSafeInteger(id)) return false;
			// An older or smaller server cannot be asked about one connection.
			const found = await redis.client("LIST", "ID", id).catch(() => null);
			if (found === null || String(found).trim() !== "") return false;
			const { lease, failure } = keysOf(key);
			return Number(await runScript(redis, RELEASE, [lease, failure, held, "", 0])) === 1;
		},
		async size(source) {
			const { sizes, ages } = keysAt(source);
			const [bytes, answers] = await Promise.all([redis.hget(sizes, ""), redis.zcard(ages)]);
			return { bytes: Number(bytes ?? 0), answers };
		},
	};
}

const mostOf = (ms: number | undefined): number => Math.floor(ms ?? Number.MAX_SAFE_INTEGER);

function lookOf([state, bytes, age, text]: Buffer[]): Look {
	// Of a lease that another holds there are its words and its time, and no answer.
	if (String(state) === "wait")
		return { state: "wait", lease: String(bytes), held_ms: Math.max(0, Number(String(age))) };
	const last = answerOf(bytes, age);
	switch (String(state)) {
		case "hit":
			if (last) return { state: "hit", ...last };
			break;
		case "lease":
			return { state: "lease", last };
		case "failed":
			return { state: "failed", failure: String(text), last };
	}
	throw new TypeError("the store answered a look with something else");
}

const answerOf = (bytes: Buffer | undefined, age: Buffer | undefined): SharedAnswer | null =>
	bytes && bytes.length > 0 ? { bytes, age_ms: Number(String(age)) } : null;

/** Bytes that the server may take; 0: it has no limit, or does not tell. */
async function memoryOf(redis: Redis): Promise<number> {
	const info = await redis.info("memory");
	return Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
}
