import type { Redis } from "ioredis";
import { creditsKey } from "./keys.ts";
import { defineScript } from "./script.ts";

export type CreditKind = "granted" | "used" | "expired";

/** One line of the ledger; lines are only ever added. */
export interface CreditEntry {
	/** Names the cause (`welcome`, `referral_of:<user>`): the same cause is booked once. */
	entry_id: string;
	kind: CreditKind;
	/** Whole credits, above 0. */
	amount: number;
	reason: string;
	at: string;
}

export interface CreditSummary {
	has_account: boolean;
	granted: number;
	used: number;
	expired: number;
	/** granted - used - expired; never stored, always computed. */
	balance: number;
}

export interface CreditLedger {
	summary(userId: string): Promise<CreditSummary>;
	/** All lines, oldest first. */
	entries(userId: string): Promise<CreditEntry[]>;
	/**
	 * Books the entry once: `booked`, or `repeated` when its id is in the ledger, or `insufficient` when
	 * the balance does not cover a used or expired amount. Throws RangeError for a bad amount.
	 */
	book(userId: string, entry: CreditEntry): Promise<"booked" | "repeated" | "insufficient">;
}

/**
 * KEYS  1 credits
 * ARGV  1 entry id, 2 entry (JSON), 3 amount, 4 '1' when it lowers the balance
 * -> 1 booked, 0 the id is booked already, -1 insufficient
 */
const BOOK = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
if ARGV[4] == '1' then
	local balance = 0
	for _, line in ipairs(redis.call('HVALS', KEYS[1])) do
		local entry = cjson.decode(line)
		if entry.kind == 'granted' then balance = balance + entry.amount else balance = balance - entry.amount end
	end
	if balance < tonumber(ARGV[3]) then return -1 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;

/** Balance and sums of a ledger, in any order of its lines. */
export function summarise(entries: readonly CreditEntry[]): CreditSummary {
	const sums = { granted: 0, used: 0, expired: 0 };
	for (const entry of entries) sums[entry.kind] += entry.amount;
	return { has_account: entries.length > 0, ...sums, balance: sums.granted - sums.used - sums.expired };
}

export function createCreditLedger(redis: Redis): CreditLedger {
	const book = defineScript(redis, "creditsBook", 1, BOOK);
	const linesOf = async (userId: string): Promise<CreditEntry[]> =>
		(await redis.hvals(creditsKey(userId))).map((line) => JSON.parse(line) as CreditEntry);
	return {
		summary: async (userId) => summarise(await linesOf(userId)),
		async entries(userId) {
			const lines = await linesOf(userId);
			return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.entry_id < b.entry_id ? -1 : 1));
		},
		async book(userId, entry) {
			if (!Number.isSafeInteger(entry.amount) || entry.amount <= 0) {
				throw new RangeError(`credits of '${entry.entry_id}': expected a whole amount above 0, got ${entry.amount}`);
			}
			const lowers = entry.kind === "granted" ? "0" : "1";
			const done = Number(
				await book([creditsKey(userId)], [entry.entry_id, JSON.stringify(entry), entry.amount, lowers]),
			);
			return done === 1 ? "booked" : done === 0 ? "repeated" : "insufficient";
		},
	};
}
