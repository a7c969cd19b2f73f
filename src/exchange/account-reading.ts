import { positive } from "../market/numbers.ts";
import type { Position } from "../strategies/contract.ts";
import { type AccountReading, ExchangeAccountError, type MissingPart } from "./contract.ts";
import type { ReadingExchange } from "./reading.ts";

/** Balances and positions kept of one account; more are counted as `beyond_limit`. */
const ENTRIES_MAX = 300;

interface Wallet {
	/** ccxt's word for it; absent: the exchange's usual one. */
	type?: string;
	/** Its totals contain the unrealised results of open contracts, which positions state as well. */
	with_results?: true;
	/** Reported when it cannot be read; without it the whole account is not read. */
	missing?: MissingPart;
}

/** Exchanges that keep more than one wallet, or count open results into balances; all others have one plain one. */
const WALLETS: Readonly<Record<string, readonly [Wallet, ...Wallet[]]>> = {
	binance: [{ type: "spot" }, { type: "future", with_results: true, missing: "futures_wallet" }],
	binanceusdm: [{ type: "future", with_results: true }],
	okx: [{ with_results: true }],
};
const PLAIN: readonly [Wallet] = [{}];

type Totals = Map<string, number>;

/** Balances over all wallets and open contracts. Rejects with ccxt's error when the first wallet cannot be read. */
export async function readAccount(exchange: ReadingExchange): Promise<Omit<AccountReading, "as_of_ms">> {
	const missing = new Set<MissingPart>();
	const [first, ...others] = WALLETS[exchange.id] ?? PLAIN;
	const [positions, main, ...more] = await Promise.all([
		readPositions(exchange, missing),
		readWallet(exchange, first),
		...others.map((wallet) => readWallet(exchange, wallet).catch(noting<Totals>(missing, wallet.missing, new Map()))),
	]);
	const wallets: [Wallet, Totals][] = [
		[first, main],
		...others.map((w, i): [Wallet, Totals] => [w, more[i] as Totals]),
	];
	const balances: Totals = new Map();
	for (const [wallet, totals] of wallets) {
		for (const [asset, quantity] of totals) {
			const results = wallet.with_results ? openResults(positions, asset) : 0;
			balances.set(asset, (balances.get(asset) ?? 0) + quantity - results);
		}
	}
	const listed = [...balances]
		.map(([asset, quantity]) => ({ asset, quantity }))
		.filter(({ quantity }) => quantity !== 0);
	if (listed.length > ENTRIES_MAX || positions.length > ENTRIES_MAX) missing.add("beyond_limit");
	return {
		balances: listed.slice(0, ENTRIES_MAX),
		positions: positions.slice(0, ENTRIES_MAX).map(({ position }) => position),
		missing: [...missing],
	};
}

const noting =
	<T>(missing: Set<MissingPart>, part: MissingPart | undefined, instead: T) =>
	(error: unknown): T => {
		if (part === undefined) throw error;
		missing.add(part);
		return instead;
	};

async function readWallet(exchange: ReadingExchange, { type }: Wallet): Promise<Totals> {
	const answer = (await exchange.ask("fetchBalance", type === undefined ? {} : { type })) as {
		total?: unknown;
		info?: unknown;
	};
	// A page of text in place of an answer must not count as an empty wallet.
	if (typeof answer.info !== "object" || answer.info === null) throw new ExchangeAccountError("bad_response");
	const totals = Object.entries((answer.total ?? {}) as Record<string, unknown>);
	return new Map(
		totals
			.map(([asset, quantity]): [string, number] => [asset, Number(quantity)])
			.filter(([, quantity]) => Number.isFinite(quantity) && quantity !== 0),
	);
}

interface OpenPosition {
	position: Position;
	settle: string;
	result: number;
}

const openResults = (positions: readonly OpenPosition[], settle: string): number =>
	positions.filter((open) => open.settle === settle).reduce((sum, { result }) => sum + result, 0);

async function readPositions(exchange: ReadingExchange, missing: Set<MissingPart>): Promise<OpenPosition[]> {
	if (!exchange.has("fetchPositions")) return [];
	try {
		const found = (await exchange.ask("fetchPositions")) as Record<string, unknown>[];
		return found.map(openPosition).filter((open) => open !== null);
	} catch {
		missing.add("positions");
		return [];
	}
}

/** BASE/QUOTE:SETTLE with an optional date and option terms. */
const CONTRACT = /^([^/:]+)\/([^/:]+):([^/:-]+)/;
/**
 * ccxt's position in base units. Inverse contracts are counted in dollars; at their entry price they are so many
 * coins, and quantity x (price - entry) is then their result in dollars, as with linear ones.
 */
function openPosition(found: Record<string, unknown>): OpenPosition | null {
	const symbol = String(found["symbol"] ?? "");
	const [, base, , settle = ""] = CONTRACT.exec(symbol) ?? [];
	const contracts = positive(found["contracts"]);
	const entry_price = positive(found["entryPrice"]);
	if (base === undefined || contracts === null) return null;
	const units = contracts * (positive(found["contractSize"]) ?? 1);
	const inverse = settle === base;
	if (inverse && entry_price === null) return null;
	const size = inverse ? units / (entry_price as number) : units;
	const result = Number(found["unrealizedPnl"] ?? 0);
	return {
		settle,
		result: Number.isFinite(result) ? result : 0,
		position: {
			symbol,
			quantity: found["side"] === "short" ? -size : size,
			entry_price,
			liquidation_price: positive(found["liquidationPrice"]),
		},
	};
}
