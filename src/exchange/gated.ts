/** The gate before the requests of accounts: budgets, pauses and bans are those of this machine's address, whoever's key a request carries. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Exchange } from "ccxt";
import { kindOf } from "../market/ccxt/errors.ts";
import { profileOf, usedWeightOf } from "../market/ccxt/profiles.ts";
import { outcomeOf } from "../market/ccxt/requests.ts";
import type { SourceCall, SourceGate, SourceOutcome } from "../market/gate.ts";
import { ExchangeAccountError } from "./contract.ts";

interface Seen {
	/** Whether a request has left; a key may be one that none can be signed with. */
	sent: boolean;
	status: number | null;
	headers: Headers | null;
}
const seen = new AsyncLocalStorage<Seen>();

/** Sends a request and notes what the exchange answered, for the gate. */
export const noting =
	(send: typeof fetch = fetch): typeof fetch =>
	async (url, init) => {
		Object.assign(seen.getStore() ?? {}, { sent: true });
		const answer = await send(url, init);
		Object.assign(seen.getStore() ?? {}, { status: answer.status, headers: answer.headers });
		return answer;
	};

/** Where one id of ccxt speaks to several budgets: by the begin of the group in ccxt's `api` tree. */
const BINANCE = [
	["fapi", "binanceusdm"],
	["dapi", "binancecoinm"],
	["sapi", "binance:sapi"],
] as const;
const IDS: Readonly<Record<string, string>> = { coinbaseadvanced: "coinbase" };

/** The budget from which a request is paid, e.g. `binanceusdm` for the contracts of an account at `binance`. */
export function budgetOf(exchange: string, group: string): string {
	if (!/^binance(?:usdm|coinm)?$/.test(exchange)) return IDS[exchange] ?? exchange;
	return BINANCE.find(([begin]) => group.startsWith(begin))?.[1] ?? "binance";
}

/** An account is not read without its first wallet: while the host of that one wants no request, none goes to another. */
const neededFor = (exchange: string, source: string): Pick<SourceCall, "needs"> =>
	exchange === "binance" && source !== "binance" ? { needs: "binance" } : {};

const NOTHING_WRONG: SourceOutcome = { kind: "ok", used_weight: null };

/** Only no answer, a 5xx or an answer that cannot be read; all else may be the fault of one key, such as its nonce. */
const isSources = (error: unknown, { sent, status }: Seen): boolean =>
	sent && (status === null || status >= 500 || ["unreadable", "timeout"].includes(kindOf(error)));

/**
 * What the gate is told: nothing that one key may have brought about, because it stops the requests of all others.
 * Binance's 429 counts requests of the address; elsewhere it may be one of the key, which its owner's own programs use
 * up. A 418 is always one of the address.
 */
function told(outcome: SourceOutcome, error: unknown, own: Seen, source: string): SourceOutcome {
	if (outcome.kind === "failed") return isSources(error, own) ? outcome : NOTHING_WRONG;
	if (outcome.kind !== "limited" || outcome.status === 418 || source.startsWith("binance")) return outcome;
	return NOTHING_WRONG;
}

export interface GateReads {
	gate: Pick<SourceGate, "take" | "report">;
	signal: AbortSignal;
	/** Told when the exchange asks for fewer requests; null: it does not say for how long. */
	limited(retryAfterMs: number | null): void;
}

/**
 * Each request takes its turn before it is signed, so that its time is still right when it is sent. It goes before the
 * market data that waits: there are few, and a scan begins with them or a person waits for them.
 */
export function gateReads(exchange: Exchange, { gate, signal, limited }: GateReads): void {
	exchange.enableRateLimit = false;
	const fetch2 = exchange.fetch2.bind(exchange);
	exchange.fetch2 = async (path, api, method, params, headers, body, config) => {
		const group = Array.isArray(api) ? api.join(".") : String(api);
		const source = budgetOf(exchange.id, group);
		const [owner = source, part] = source.split(":");
		const profile = profileOf(owner);
		const cost = Number(exchange.calculateRateLimiterCost(api, method, path, params, config));
		const weight = Math.max(1, Math.ceil(profile.weightOf(Number.isFinite(cost) ? cost : 1, group)));
		const call = { source, endpoint: `/${group}/${String(path)}` };
		await gate.take({ ...call, ...neededFor(exchange.id, source), weight, rank: -1, signal });
		const own: Seen = { sent: false, status: null, headers: null };
		try {
			const answer = await seen.run(own, () => fetch2(path, api, method, params, headers, body, config));
			const used_weight = own.headers && usedWeightOf(profile, own.headers, part ?? null);
			gate.report(call, { kind: "ok", used_weight });
			return answer;
		} catch (error) {
			const outcome = outcomeOf(error, own, signal);
			gate.report(call, told(outcome, error, own, source));
			if (outcome.kind !== "limited") throw error;
			limited(outcome.retry_after_ms);
			throw new ExchangeAccountError("rate_limited", outcome.retry_after_ms);
		}
	};
}
