import type { Redis } from "ioredis";
import { CATALOGUE, type CatalogueEntry, strategyKey } from "../catalogue.ts";
import { type Clock, isoOf } from "../clock.ts";
import type { PolicyReader, StrategyPolicy } from "../services.ts";
import { policiesKey } from "./keys.ts";
import type { PolicyFields, PolicyOverlay } from "./policy-overlay.ts";
import { defineScript } from "./script.ts";

const FIELDS = ["max_symbols", "chunk_size", "priority", "enabled"] as const;

/**
 * KEYS  1 policies
 * ARGV  1 strategy key, 2 now (ISO), 3.. field, value (JSON), ...
 * -> 1. Only the fields given change.
 */
const SET = `
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[1] .. ':' .. ARGV[i], ARGV[i + 1]) end
redis.call('HSETNX', KEYS[1], ARGV[1] .. ':created_at', ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1] .. ':updated_at', ARGV[2])
return 1
`;

export interface PolicyStore extends PolicyReader {
	/** `key` is a strategy key of the catalogue. Effective for the next scan on every process. */
	set(key: string, fields: PolicyFields): Promise<StrategyPolicy>;
	/** Drops what administrators set; default and configuration stand again. */
	reset(key: string): Promise<StrategyPolicy>;
}

function effective(
	entry: CatalogueEntry,
	overlay: PolicyFields | undefined,
	stored: Record<string, string>,
): StrategyPolicy {
	const key = strategyKey(entry);
	const own: Record<string, unknown> = {};
	for (const field of FIELDS) {
		const value = stored[`${key}:${field}`];
		if (value !== undefined) own[field] = JSON.parse(value);
	}
	const configured = Object.fromEntries(Object.entries(overlay ?? {}).filter(([, value]) => value !== undefined));
	const defaults = {
		max_symbols: entry.symbols_max,
		chunk_size: entry.chunk_size,
		priority: entry.priority,
		enabled: true,
	};
	const source = Object.keys(own).length > 0 ? "database" : overlay ? "config" : "default";
	return {
		strategy_key: key,
		...defaults,
		...configured,
		...own,
		source,
		id: `policy_${key}`,
		created_at: source === "database" ? (stored[`${key}:created_at`] ?? null) : null,
		updated_at: source === "database" ? (stored[`${key}:updated_at`] ?? null) : null,
	};
}

/** By priority descending (none last), then key. */
function byPriority(a: StrategyPolicy, b: StrategyPolicy): number {
	return (b.priority ?? -1) - (a.priority ?? -1) || (a.strategy_key < b.strategy_key ? -1 : 1);
}

/** Effective policies: catalogue, overlaid by configuration, overlaid by administrators. */
export function createPolicyStore(redis: Redis, clock: Clock, overlay: PolicyOverlay): PolicyStore {
	const set = defineScript(redis, "policySet", 1, SET);
	const list = async (): Promise<StrategyPolicy[]> => {
		const stored = await redis.hgetall(policiesKey);
		return CATALOGUE.map((entry) => effective(entry, overlay.get(strategyKey(entry)), stored)).sort(byPriority);
	};
	const one = async (key: string): Promise<StrategyPolicy> => {
		const policy = (await list()).find((candidate) => candidate.strategy_key === key);
		if (!policy) throw new RangeError(`no policy of a strategy '${key}'`);
		return policy;
	};
	return {
		list,
		async set(key, fields) {
			const changes = FIELDS.flatMap((field) =>
				fields[field] === undefined ? [] : [field, JSON.stringify(fields[field])],
			);
			if (changes.length > 0) await set([policiesKey], [key, isoOf(clock.now()), ...changes]);
			return one(key);
		},
		async reset(key) {
			await redis.hdel(policiesKey, ...[...FIELDS, "created_at", "updated_at"].map((field) => `${key}:${field}`));
			return one(key);
		},
	};
}
