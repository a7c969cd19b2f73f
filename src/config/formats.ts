/** Formats of settings that are more than a number or a word. */
import { z } from "zod";
import { findStrategy, strategyKey } from "../catalogue.ts";

const SECRET_BYTES_MIN = 32;

const listOf = (word: string): string[] =>
	word
		.split(",")
		.map((part) => part.trim())
		.filter((part) => part !== "");

const bytesOf = (word: string): number => Buffer.byteLength(word, "utf8");

/** Comma-separated secrets, newest first. */
export const secretList = z
	.string()
	.transform(listOf)
	.refine((secrets) => secrets.length > 0, "must name at least one secret")
	.refine(
		(secrets) => secrets.every((secret) => bytesOf(secret) >= SECRET_BYTES_MIN),
		`every secret of the list needs ${SECRET_BYTES_MIN} bytes or more`,
	);

export const adminPassword = z.string().min(8, "must have 8 characters or more");

const urlOf = (word: string): URL | null => (URL.canParse(word) ? new URL(word) : null);

export const redisAddress = z.string().refine((word) => {
	const url = urlOf(word);
	if (!url) return false;
	if (url.protocol === "unix:") return url.pathname.length > 1;
	return (url.protocol === "redis:" || url.protocol === "rediss:") && url.hostname !== "";
}, "must be a redis://, rediss:// or unix:// address");

export const webAddress = z.string().refine((word) => {
	const url = urlOf(word);
	return url !== null && (url.protocol === "http:" || url.protocol === "https:");
}, "must be an http:// or https:// address");

/** Exact origins only: credentials are allowed, so `*` would open every account to every page. */
export const corsOrigins = z
	.string()
	.transform(listOf)
	.refine(
		(origins) => origins.every((origin) => urlOf(origin)?.origin === origin),
		"must list origins such as https://app.example.org, without path and without *",
	);

/** ISO 8601 with a zone -> epoch ms. */
export const instant = z
	.string()
	.regex(
		/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/,
		"must be a time with a zone such as 2026-03-19T19:00:00Z",
	)
	.transform((word) => Date.parse(word))
	.refine((ms) => Number.isFinite(ms), "is not a time that exists");

export type MarketChoice =
	| { kind: "simulated"; seed: number }
	| { kind: "recorded"; dir: string }
	| { kind: "ccxt"; exchanges: string[] };

/** Seed of the simulated exchange when MARKET does not name one. */
export const SIMULATED_SEED_DEFAULT = 42;
const SEED_MAX = 2 ** 32 - 1;

function parseMarket(word: string): MarketChoice | null {
	const colon = word.indexOf(":");
	const kind = colon < 0 ? word : word.slice(0, colon);
	const rest = colon < 0 ? "" : word.slice(colon + 1).trim();
	if (kind === "simulated") {
		if (colon < 0) return { kind, seed: SIMULATED_SEED_DEFAULT };
		return /^\d{1,10}$/.test(rest) && Number(rest) <= SEED_MAX ? { kind, seed: Number(rest) } : null;
	}
	if (kind === "recorded") return rest === "" ? null : { kind, dir: rest };
	if (kind === "ccxt") {
		const exchanges = [...new Set(listOf(rest.toLowerCase()))];
		const named = exchanges.length > 0 && exchanges.every((name) => /^[a-z][a-z0-9]*$/.test(name));
		return named ? { kind, exchanges } : null;
	}
	return null;
}

export const marketChoice = z.string().transform((word, context): MarketChoice => {
	const choice = parseMarket(word);
	if (choice) return choice;
	context.addIssue({
		code: "custom",
		message: "must be simulated, simulated:<seed 0..4294967295>, recorded:<folder> or ccxt:<exchange>[,<exchange>]",
	});
	return z.NEVER;
});

const policyFields = z.strictObject({
	max_symbols: z.int().min(1).nullable().optional(),
	chunk_size: z.int().min(1).nullable().optional(),
	priority: z.int().min(0).nullable().optional(),
	enabled: z.boolean().optional(),
});
export type PolicyFields = z.output<typeof policyFields>;

const asJson = z.string().transform((word, context): unknown => {
	try {
		return JSON.parse(word);
	} catch {
		context.addIssue({ code: "custom", message: "must be JSON" });
		return z.NEVER;
	}
});

/** Keys are resolved through the catalogue; in the result they are policy keys (id without `ai_`). */
export const strategyPolicies = asJson
	.pipe(z.record(z.string(), policyFields, { error: "must be a JSON object by strategy key" }))
	.transform((policies, context): Record<string, PolicyFields> => {
		const resolved: Record<string, PolicyFields> = {};
		for (const [word, fields] of Object.entries(policies)) {
			const entry = findStrategy(word);
			if (entry) resolved[strategyKey(entry)] = fields;
			else context.addIssue({ code: "custom", message: `no strategy '${word}' in the catalogue` });
		}
		return resolved;
	});
