/**
 * Worker-thread entry: ccxt lives here, so that its parsing never holds up the heartbeats of scans, and an object
 * that could trade is nowhere else in the process. Answers hold readings or a code, never a key.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Exchange } from "ccxt";
import { abortable } from "../market/abortable.ts";
import { type ExchangeConstructor, loadExchange, redirectExchange } from "../market/ccxt/load.ts";
import { type AskGate, createThreadGate, type TellGate } from "../market/gate-thread.ts";
import { readAccount } from "./account-reading.ts";
import {
	ACCOUNT_ERRORS,
	type AccountErrorCode,
	type AccountReading,
	type ExchangeAccount,
	ExchangeAccountError,
	type KeyRights,
	LIMITED_PAUSE_MS,
} from "./contract.ts";
import { accountErrorCode } from "./failures.ts";
import { gateReads, noting } from "./gated.ts";
import { type ReadingExchange, readingOnly, readingTransport } from "./reading.ts";
import { keyRights } from "./rights.ts";

export interface WorkerSettings {
	/** Requests go here instead of to the exchange. */
	base_url: string | null;
}

export type AccountTask =
	| { kind: "knows"; exchange: string }
	| { kind: "read" | "permissions"; account: ExchangeAccount; limit_ms: number };

export interface AccountResults {
	knows: boolean;
	read: Omit<AccountReading, "as_of_ms">;
	permissions: KeyRights | null;
}

/** `cancel`: nobody waits for the answer any more. */
export type AccountRequest = { id: number; task: AccountTask } | { id: number; cancel: true } | TellGate;
export type AccountAnswer =
	| AskGate
	| ({ id: number } & (
			| { ok: true; value: unknown }
			| { ok: false; code: AccountErrorCode; retry_after_ms: number | null }
	  ));

const send = (message: AccountAnswer): void => parentPort?.postMessage(message);
const gate = createThreadGate(send, ({ code }) => {
	const known = ACCOUNT_ERRORS.find((name) => name === code);
	return new ExchangeAccountError(known ?? "exchange_unavailable");
});

/** ccxt's name for the three parts of a key. */
const credentialsOf = ({ credentials }: ExchangeAccount) => ({
	apiKey: credentials.api_key,
	secret: credentials.secret,
	...(credentials.password === null ? {} : { password: credentials.password }),
});

/** Contract markets give positions their symbols; wallets need none, and currencies come with the markets. */
const OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
	binance: { fetchMarkets: { types: ["linear"] }, fetchCurrencies: false, leverageBrackets: {} },
	binanceusdm: { fetchMarkets: { types: ["linear"] }, fetchCurrencies: false, leverageBrackets: {} },
};

function make(
	Exchange: ExchangeConstructor,
	id: string,
	signal: AbortSignal,
	credentials: object,
	limited: (retryAfterMs: number | null) => void = () => undefined,
): Exchange {
	const exchange = new Exchange({ ...credentials, options: structuredClone(OPTIONS[id] ?? {}), timeout: 10_000 });
	// Lists of currencies are private at some exchanges; what wallets hold is named without them.
	if (OPTIONS[id]?.["fetchCurrencies"] === false) exchange.has["fetchCurrencies"] = false;
	exchange.fetchImplementation = readingTransport(id, signal, noting());
	gateReads(exchange, { gate, signal, limited });
	const { base_url } = workerData as WorkerSettings;
	if (base_url !== null) redirectExchange(exchange, base_url);
	return exchange;
}

const MARKETS_FRESH_MS = 3_600_000;
const EXCHANGES_MAX = 8;
/** Longer than one account waits: the next one finds what this one began. */
const LISTING_LIMIT_MS = 20_000;
/** Lists of markets by exchange, loaded without any key and shared by all accounts there. */
const listings = new Map<string, { exchange: Promise<Exchange>; at_ms: number }>();

function listingOf(Exchange: ExchangeConstructor, id: string): Promise<Exchange> {
	const present = listings.get(id);
	if (present && performance.now() - present.at_ms < MARKETS_FRESH_MS) return present.exchange;
	const exchange = (async () => {
		const listing = make(Exchange, id, AbortSignal.timeout(LISTING_LIMIT_MS), {});
		await listing.loadMarkets();
		return listing;
	})();
	listings.delete(id);
	listings.set(id, { exchange, at_ms: performance.now() });
	for (const oldest of listings.keys()) if (listings.size > EXCHANGES_MAX) listings.delete(oldest);
	exchange.catch(() => {
		if (listings.get(id)?.exchange === exchange) listings.delete(id);
	});
	return exchange;
}

async function openAccount(
	account: ExchangeAccount,
	signal: AbortSignal,
	limited: (retryAfterMs: number | null) => void,
): Promise<ReadingExchange> {
	const Exchange = await loadExchange(account.exchange);
	const exchange = make(Exchange, account.exchange, signal, credentialsOf(account), limited);
	try {
		exchange.setMarketsFromExchange(await abortable(listingOf(Exchange, account.exchange), signal));
	} catch {
		signal.throwIfAborted();
		// Wallets can be read without a list of markets; positions then say that they could not.
		exchange.setMarkets([]);
	}
	return readingOnly(exchange);
}

/** Exchanges refuse a request whose time is not theirs; those that ccxt can ask for it get a second one. */
async function withTheirTime<T>(exchange: ReadingExchange, ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		if (accountErrorCode(error) !== "clock_skew" || !exchange.has("loadTimeDifference")) throw error;
		await exchange.ask("loadTimeDifference");
		return ask();
	}
}

const running = new Map<number, AbortController>();

async function perform(task: AccountTask, signal: AbortSignal): Promise<unknown> {
	if (task.kind === "knows") {
		return loadExchange(task.exchange).then(
			() => true,
			() => false,
		);
	}
	const within = AbortSignal.any([signal, AbortSignal.timeout(task.limit_ms)]);
	/** Of a part that is left out: the account is read without it, and not again before the pause is over. */
	let pauseMs: number | null = null;
	const limited = (retryAfterMs: number | null) => {
		pauseMs = Math.max(pauseMs ?? 0, retryAfterMs ?? LIMITED_PAUSE_MS);
	};
	try {
		const exchange = await openAccount(task.account, within, limited);
		const read = async () => {
			const reading = await readAccount(exchange);
			return pauseMs === null ? reading : { ...reading, retry_after_ms: pauseMs };
		};
		const ask = { read, permissions: () => keyRights(exchange) }[task.kind];
		return await withTheirTime<unknown>(exchange, ask);
	} catch (error) {
		// ccxt reports an aborted request in several ways.
		throw within.aborted ? within.reason : error;
	}
}

parentPort?.on("message", (request: AccountRequest) => {
	if ("kind" in request) return gate.receive(request);
	const { id } = request;
	if ("cancel" in request) {
		running.get(id)?.abort();
		return;
	}
	const controller = new AbortController();
	running.set(id, controller);
	const answer = (message: AccountAnswer) => {
		running.delete(id);
		send(message);
	};
	perform(request.task, controller.signal).then(
		(value) => answer({ id, ok: true, value }),
		(error: unknown) => {
			const retry_after_ms = error instanceof ExchangeAccountError ? error.retryAfterMs : null;
			answer({ id, ok: false, code: accountErrorCode(error), retry_after_ms });
		},
	);
});
