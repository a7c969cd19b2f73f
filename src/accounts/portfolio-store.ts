import type { Redis } from "ioredis";
import { type Clock, isoOf } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";
import type { PortfolioStore, StoredPortfolio } from "../services.ts";
import type { Position } from "../strategies/contract.ts";
import { accountKey, isUserId, portfolioKey } from "./keys.ts";
import { defineScript, textList } from "./script.ts";

/**
 * KEYS  1 portfolio, 2 account
 * ARGV  1 expected version or '', 2 positions (JSON), 3 cash_usd, 4 now (ISO), 5 nonce of this write
 * -> {1, version, updated_at} written (also when this very write was done before), {0} another version is stored,
 *    {-1} the account is gone: a write that was under way while it was deleted must leave nothing
 */
const PUT = `
if redis.call('EXISTS', KEYS[2]) == 0 then return {-1} end
if redis.call('HGET', KEYS[1], 'nonce') == ARGV[5] then
	return {1, redis.call('HGET', KEYS[1], 'version'), redis.call('HGET', KEYS[1], 'updated_at')}
end
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if ARGV[1] ~= '' and tonumber(ARGV[1]) ~= version then return {0} end
version = string.format('%.0f', version + 1)
redis.call('HSET', KEYS[1], 'positions', ARGV[2], 'cash_usd', ARGV[3], 'version', version, 'updated_at', ARGV[4], 'nonce', ARGV[5])
return {1, version, ARGV[4]}
`;

/** Portfolios as entered by their users. */
export function createPortfolioStore(redis: Redis, clock: Clock, entropy: Entropy): PortfolioStore {
	const put = defineScript(redis, "portfolioPut", 2, PUT);
	return {
		async get(userId): Promise<StoredPortfolio> {
			const fields = isUserId(userId) ? await redis.hgetall(portfolioKey(userId)) : {};
			return {
				positions: JSON.parse(fields["positions"] ?? "[]") as Position[],
				cash_usd: Number(fields["cash_usd"] ?? "0"),
				version: Number(fields["version"] ?? "0"),
				updated_at: fields["updated_at"] ?? null,
			};
		},
		async put(userId, positions, cashUsd, expectedVersion) {
			const expected = expectedVersion === null ? "" : String(expectedVersion);
			const args = [expected, JSON.stringify(positions), String(cashUsd), isoOf(clock.now()), entropy.token(9)];
			const [done, version, updatedAt] = textList(await put([portfolioKey(userId), accountKey(userId)], args));
			if (done === "-1") throw new ApiError("token_revoked");
			if (done !== "1") return null;
			return { positions, cash_usd: cashUsd, version: Number(version), updated_at: updatedAt ?? null };
		},
	};
}
