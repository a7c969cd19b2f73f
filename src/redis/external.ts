/** A server that somebody else runs: checked at start, never configured by us. */
import { type Logger, withoutCredentials } from "../log.ts";
import type { Redis } from "./clients.ts";
import { parseRedisUrl, RedisSetupError } from "./connection.ts";
import { probe } from "./probe.ts";
import type { RedisProvision } from "./provide.ts";
import { isSupportedVersion, REDIS_VERSION_MIN } from "./version.ts";

const WAIT_MS = 10_000;

/** What a server says of itself; null: it does not tell. */
export interface ServerFacts {
	version: string | null;
	maxmemoryPolicy: string | null;
	appendOnly: boolean | null;
}

/**
 * Connects within `waitMs` and refuses a server that may evict keys: an evicted scan would be a lost one.
 *
 * @throws RedisSetupError without address or credentials in its text.
 */
export async function openExternal(redisUrl: string, logger: Logger, waitMs = WAIT_MS): Promise<RedisProvision> {
	const connection = parseRedisUrl(redisUrl);
	const facts = await probe(connection, waitMs, readFacts).catch((error: unknown) => {
		throw new RedisSetupError(unreachableText(error, waitMs));
	});
	const warnings = judge(facts);
	for (const warning of warnings) logger.warn(warning);
	return { kind: "external", connection, warning: warnings.join(" ") || null, close: async () => undefined };
}

async function readFacts(client: Redis): Promise<ServerFacts> {
	const info = await client.info().catch(() => "");
	const member = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? null;
	const append = member("aof_enabled");
	return {
		version: member("redis_version"),
		// Managed servers often forbid CONFIG, while INFO tells the same.
		maxmemoryPolicy: member("maxmemory_policy") ?? (await configuredPolicy(client)),
		appendOnly: append === null ? null : append === "1",
	};
}

async function configuredPolicy(client: Redis): Promise<string | null> {
	const reply = await client.config("GET", "maxmemory-policy").catch(() => null);
	const value = Array.isArray(reply) ? reply[1] : null;
	return typeof value === "string" ? value : null;
}

/**
 * @returns what the operator should hear.
 * @throws RedisSetupError when the server must not be used.
 */
export function judge(facts: ServerFacts): string[] {
	if (facts.version !== null && !isSupportedVersion(facts.version)) {
		throw new RedisSetupError(
			`the server of REDIS_URL is Redis ${facts.version}; ${REDIS_VERSION_MIN} or newer is needed`,
		);
	}
	if (facts.maxmemoryPolicy !== null && facts.maxmemoryPolicy !== "noeviction") {
		throw new RedisSetupError(
			`the server of REDIS_URL has maxmemory-policy ${facts.maxmemoryPolicy} and may drop running scans; set it to noeviction`,
		);
	}
	const warnings: string[] = [];
	if (facts.maxmemoryPolicy === null) {
		warnings.push("The server of REDIS_URL does not tell its maxmemory-policy; make sure that it is noeviction.");
	}
	if (facts.appendOnly === false) {
		warnings.push("The server of REDIS_URL keeps no append-only file: an accepted scan may be lost when it restarts.");
	}
	return warnings;
}

function unreachableText(error: unknown, waitMs: number): string {
	const message = error instanceof Error ? error.message : String(error);
	const word = /^[A-Z]+/.exec(message)?.[0];
	if (word === "WRONGPASS" || word === "NOAUTH" || word === "NOPERM") {
		return `the server of REDIS_URL refuses these credentials (${word})`;
	}
	const code = (error as { code?: unknown }).code;
	const why = typeof code === "string" ? code : withoutCredentials(word ?? "no answer");
	return `the server of REDIS_URL did not answer within ${waitMs / 1000} s (${why})`;
}
