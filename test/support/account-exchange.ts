import { createHmac } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** What the account of one key holds and how the exchange treats it. */
export interface TestAccount {
	secret: string;
	spot: Record<string, number>;
	/** Wallet balances of the futures account, before open results. */
	futures: Record<string, number>;
	positions: { symbol: string; amount: number; entry: number; mark: number }[];
	/** Names of apiRestrictions that are on, beside reading. */
	rights: string[];
	/** What comes of reading its wallet, whatever others' do. */
	broken?: "hangs" | "fails";
}

export type ExchangeFault =
	| "unauthorized"
	| "hang"
	| "no_futures"
	| "no_restrictions"
	| "clock"
	| "banned"
	| "spot_banned"
	| "garbage";

/**
 * A loopback exchange with Binance's signed account endpoints. A request without the right HMAC-SHA256 signature
 * over its query is refused as there (-1022), a key that it does not know as well (-2014).
 */
export interface AccountExchange {
	url: string;
	accounts: Map<string, TestAccount>;
	/** Method and path of every request. */
	requests: string[];
	fault: ExchangeFault | null;
	close(): Promise<void>;
}

type Reply = [status: number, body: unknown];

const marketOf = (base: string) => ({
	symbol: `${base}USDT`,
	pair: `${base}USDT`,
	contractType: "PERPETUAL",
	status: "TRADING",
	baseAsset: base,
	quoteAsset: "USDT",
	marginAsset: "USDT",
	pricePrecision: 2,
	quantityPrecision: 3,
	filters: [],
});

const restrictionsOf = ({ rights }: TestAccount) => ({
	ipRestrict: true,
	createTime: 1_700_000_000_000,
	enableReading: true,
	...Object.fromEntries(
		[
			"enableWithdrawals",
			"enableInternalTransfer",
			"enableMargin",
			"enableFutures",
			"permitsUniversalTransfer",
			"enableVanillaOptions",
			"enableFixApiTrade",
			"enableSpotAndMarginTrading",
			"enablePortfolioMarginTrading",
		].map((name) => [name, rights.includes(name)]),
	),
});

const resultOf = ({ amount, entry, mark }: TestAccount["positions"][number]): number => amount * (mark - entry);

const futuresOf = ({ futures, positions }: TestAccount) => ({
	assets: Object.entries(futures).map(([asset, wallet]) => {
		const margin = wallet + (asset === "USDT" ? positions.reduce((sum, one) => sum + resultOf(one), 0) : 0);
		return {
			asset,
			walletBalance: String(wallet),
			marginBalance: String(margin),
			availableBalance: String(margin),
			initialMargin: "0",
			updateTime: 1_700_000_000_000,
		};
	}),
	positions: [],
});

const positionOf = (one: TestAccount["positions"][number]) => ({
	symbol: one.symbol,
	positionSide: "BOTH",
	positionAmt: String(one.amount),
	entryPrice: String(one.entry),
	breakEvenPrice: String(one.entry),
	markPrice: String(one.mark),
	unRealizedProfit: String(resultOf(one)),
	liquidationPrice: String(one.entry / 2),
	notional: String(one.amount * one.mark),
	marginAsset: "USDT",
	isolatedMargin: "0",
	isolatedWallet: "0",
	initialMargin: "10",
	maintMargin: "5",
	updateTime: 1_700_000_000_000,
});

const SIGNED: Record<string, (account: TestAccount) => unknown> = {
	"/api/v3/account": ({ spot }) => ({
		accountType: "SPOT",
		updateTime: 1_700_000_000_000,
		balances: Object.entries(spot).map(([asset, free]) => ({ asset, free: String(free), locked: "0" })),
	}),
	"/sapi/v1/account/apiRestrictions": restrictionsOf,
	"/fapi/v3/account": futuresOf,
	"/fapi/v3/positionRisk": ({ positions }) => positions.map(positionOf),
};

/** `basesOfContracts`: contracts that are listed against USDT. */
export async function startAccountExchange(
	basesOfContracts: readonly string[] = ["BTC", "ETH"],
): Promise<AccountExchange> {
	const held = { fault: null as ExchangeFault | null, skewed: new Set<string>() };
	const accounts = new Map<string, TestAccount>();
	const requests: string[] = [];

	function answer(request: http.IncomingMessage): Reply | null {
		const [path = "", query = ""] = (request.url ?? "").split("?");
		if (held.fault === "hang") return null;
		if (held.fault === "banned" || (held.fault === "spot_banned" && !path.startsWith("/fapi/")))
			return [418, { code: -1003, msg: "Way too much request weight used" }];
		if (held.fault === "garbage") return [200, "<html>maintenance</html>"];
		if (path === "/fapi/v1/exchangeInfo") return [200, { timezone: "UTC", symbols: basesOfContracts.map(marketOf) }];
		if (path.endsWith("/time")) return [200, { serverTime: Number(process.hrtime.bigint() / 1_000_000n) }];
		const read = SIGNED[path];
		if (!read || request.method !== "GET") return [404, { code: -1, msg: "no such endpoint" }];
		const account = accounts.get(String(request.headers["x-mbx-apikey"]));
		if (!account || held.fault === "unauthorized") return [401, { code: -2014, msg: "API-key format invalid." }];
		const [signed = "", signature = ""] = query.split("&signature=");
		const expected = createHmac("sha256", account.secret).update(signed).digest("hex");
		// As some exchanges do, it repeats in its error what it was sent.
		if (signature !== expected) return [400, { code: -1022, msg: `Signature for this request is not valid: ${query}` }];
		if (held.fault === "clock" && !held.skewed.has(path)) {
			held.skewed.add(path);
			return [400, { code: -1021, msg: "Timestamp for this request is outside of the recvWindow." }];
		}
		if (held.fault === "no_futures" && path.startsWith("/fapi/")) return [500, { code: -1000, msg: "unknown error" }];
		if (held.fault === "no_restrictions" && path.startsWith("/sapi/"))
			return [404, { code: -1, msg: "no such endpoint" }];
		if (account.broken === "hangs") return null;
		if (account.broken === "fails" && path === "/api/v3/account") return [500, { code: -1000, msg: "unknown error" }];
		return [200, read(account)];
	}

	const server = http.createServer((request, response) => {
		requests.push(`${request.method} ${(request.url ?? "").split("?")[0]}`);
		request.resume();
		const reply = answer(request);
		if (!reply) return;
		const pause = reply[0] === 418 ? { "retry-after": "90" } : {};
		response.writeHead(reply[0], { "content-type": "application/json", ...pause });
		response.end(typeof reply[1] === "string" ? reply[1] : JSON.stringify(reply[1]));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		accounts,
		requests,
		get fault() {
			return held.fault;
		},
		set fault(next) {
			held.fault = next;
			held.skewed.clear();
		},
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

/** Keys as long as Binance's; `name` makes them differ and easy to find. */
export function testKey(name: string): { api_key: string; secret: string } {
	const part = (kind: string) => `${kind}${name}${"k7Q2mX9vB4nL8sT1".repeat(4)}`.slice(0, 64);
	return { api_key: part("A"), secret: part("S") };
}

export const testAccount = (secret: string, more: Partial<TestAccount> = {}): TestAccount => ({
	secret,
	spot: { BTC: 0.5, ETH: 2, USDT: 1_000, USDC: 250 },
	futures: { USDT: 400 },
	positions: [{ symbol: "BTCUSDT", amount: -0.1, entry: 60_000, mark: 50_000 }],
	rights: [],
	...more,
});
