import type { KeyRights } from "./contract.ts";
import type { ReadingExchange } from "./reading.ts";

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields =>
	typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const isOn = (value: unknown): boolean => value === true || value === "true";
const anyOn = (fields: Fields, names: readonly string[]): boolean => names.some((name) => isOn(fields[name]));
const wordsOf = (value: unknown): string[] | null =>
	Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;

/** https://developers.binance.com/docs/wallet/account/api-key-permission */
async function binance(exchange: ReadingExchange): Promise<KeyRights | null> {
	const answer = fieldsOf(await exchange.ask("sapiGetAccountApiRestrictions"));
	if (!("enableReading" in answer)) return null;
	const trading = [
		"SpotAndMarginTrading",
		"Margin",
		"Futures",
		"VanillaOptions",
		"PortfolioMarginTrading",
		"FixApiTrade",
	];
	return {
		trade: anyOn(
			answer,
			trading.map((name) => `enable${name}`),
		),
		withdraw: anyOn(answer, ["enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer"]),
	};
}

/** https://bybit-exchange.github.io/docs/v5/user/apikey-info: a read-only key lists what it may look at. */
async function bybit(exchange: ReadingExchange): Promise<KeyRights | null> {
	const result = fieldsOf(fieldsOf(await exchange.ask("privateGetV5UserQueryApi"))["result"]);
	const readOnly = Number(result["readOnly"]);
	if (readOnly === 1) return { trade: false, withdraw: false };
	if (readOnly !== 0) return null;
	const wallet = wordsOf(fieldsOf(result["permissions"])["Wallet"]) ?? [];
	return { trade: true, withdraw: wallet.length > 0 };
}

/** https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration: `perm` lists words. */
async function okx(exchange: ReadingExchange): Promise<KeyRights | null> {
	const data = fieldsOf(await exchange.ask("privateGetAccountConfig"))["data"];
	const words = fieldsOf(Array.isArray(data) ? data[0] : null)["perm"];
	if (typeof words !== "string" || words === "") return null;
	const given = words.split(",").map((word) => word.trim());
	return { trade: given.includes("trade"), withdraw: given.includes("withdraw") };
}

/** https://docs.kraken.com/api-reference/account-data/get-api-key-info: words such as query-funds, modify-trades. */
async function kraken(exchange: ReadingExchange): Promise<KeyRights | null> {
	const result = fieldsOf(fieldsOf(await exchange.ask("privatePostGetApiKeyInfo"))["result"]);
	const given = wordsOf(result["permissions"]);
	if (given === null || given.length === 0) return null;
	const beyond = given.filter((word) => !/^(?:query|export|access)-/.test(word));
	const moves = beyond.filter((word) => /fund|withdraw|deposit|transfer|earn/.test(word));
	return { trade: beyond.length > moves.length, withdraw: moves.length > 0 };
}

/** https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/data-api/get-api-key-permissions */
async function coinbase(exchange: ReadingExchange): Promise<KeyRights | null> {
	const answer = fieldsOf(await exchange.ask("v3PrivateGetBrokerageKeyPermissions"));
	if (!("can_view" in answer)) return null;
	return { trade: isOn(answer["can_trade"]), withdraw: isOn(answer["can_transfer"]) };
}

const BY_EXCHANGE: Readonly<Record<string, (exchange: ReadingExchange) => Promise<KeyRights | null>>> = {
	binance,
	binanceusdm: binance,
	binancecoinm: binance,
	bybit,
	okx,
	kraken,
	coinbase,
	coinbaseadvanced: coinbase,
};

/** Whether this exchange can be asked what a key of it may do. */
export const saysRights = (exchange: string): boolean => Object.hasOwn(BY_EXCHANGE, exchange);

/**
 * What the key of this exchange may do beyond reading, as the exchange itself says. null: this exchange has no
 * way to ask, or answered in a form that is not known. Rejects with ccxt's error.
 */
export const keyRights = async (exchange: ReadingExchange): Promise<KeyRights | null> =>
	(await BY_EXCHANGE[exchange.id]?.(exchange)) ?? null;
