/**
 * A replay exchange: Binance's public REST of spot, USD-M contracts and options on loopback, answered from a recorded data
 * set as it was known at the exchange's own clock. Nothing that was not recorded is made up.
 */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, delay, systemClock } from "../../../src/clock.ts";
import { answerAdmin } from "./admin.ts";
import { type Family, openReplayData, type ReplayData } from "./data.ts";
import { ENDPOINTS, type Endpoint, type StoredBook, type View } from "./endpoints.ts";
import { exchangeInfo } from "./exchange-info.ts";
import { createFaults, type Fault, type FaultInput } from "./faults.ts";
import { ExchangeRefusal, invalidSymbol } from "./query.ts";
import { createStats, type ReplayStats, type StatsKeeper } from "./stats.ts";
import { createUsage, type Pool, type Usage } from "./weights.ts";

export interface ReplayOptions {
	/** A data set in the recorded layout. */
	dir: string;
	/** The exchange's clock; absent: the newest common time of the set. */
	asOfMs?: number | null;
	/** 0 or absent: any free port of 127.0.0.1. */
	port?: number;
	/** Added to each answer. */
	latencyMs?: number;
	/** Weight, or requests, a window and address; the published ones where absent. */
	limits?: Partial<Record<Pool, number>>;
	/** Refusals in a window after which an address is banned (default 10), and for how long (default 2 minutes). */
	banAfter?: number;
	banMs?: number;
	/** Least order value that exchangeInfo states; absent: none, because none is recorded. */
	minNotional?: number;
	/** Wall time: latency and windows of the budgets. */
	clock?: Clock;
}

export interface ReplayExchange {
	/** `http://127.0.0.1:<port>` */
	readonly baseUrl: string;
	now(): number;
	setNow(ms: number): void;
	/** Throws ZodError for a fault of another form. */
	addFaults(...faults: FaultInput[]): void;
	clearFaults(): void;
	stats(): ReplayStats;
	resetStats(): void;
	/** Resolves at the next request of the endpoint, e.g. `spot/klines`. */
	arrival(endpoint: string): Promise<void>;
	/** A book that `depth` answers from now on, of a test's own making or recorded elsewhere. */
	setBook(family: Family, id: string, book: StoredBook | null): void;
	close(): Promise<void>;
}

const KEEP_ALIVE_MS = 75_000;

interface Parts {
	data: ReplayData;
	usage: Usage;
	stats: StatsKeeper;
	faults: ReturnType<typeof createFaults>;
	books: Map<string, StoredBook>;
	clock: Clock;
	latencyMs: number;
	minNotional: number | null;
	lifetime: AbortController;
	now: number;
}

/** Opens the data set and listens. Throws RecordedFileError for a folder that is none. */
export async function createReplayExchange(options: ReplayOptions): Promise<ReplayExchange> {
	const clock = options.clock ?? systemClock;
	const data = await openReplayData(options.dir, options.asOfMs ?? null);
	const parts: Parts = {
		data,
		usage: createUsage({
			clock,
			limits: options.limits ?? {},
			banAfter: options.banAfter ?? 10,
			banMs: options.banMs ?? 120_000,
		}),
		stats: createStats(),
		faults: createFaults(),
		books: new Map(),
		clock,
		latencyMs: options.latencyMs ?? 0,
		minNotional: options.minNotional ?? null,
		lifetime: new AbortController(),
		now: data.startMs,
	};
	// Every answer that is delayed listens to it.
	setMaxListeners(0, parts.lifetime.signal);
	const server = createServer((request, response) => {
		serve(parts, request, response).catch((error: unknown) => fail(response, error));
	});
	// Longer than clients keep a connection, so that none is closed under a request that is on its way.
	server.keepAliveTimeout = KEEP_ALIVE_MS;
	try {
		// Reads the files that every client asks for first, so that no client's patience has to last for them.
		for (const family of ["spot", "usdm"] as const) await exchangeInfo(family, viewOf(parts, []));
		await listen(server, options.port ?? 0);
	} catch (error) {
		await data.close();
		throw error;
	}
	const { port } = server.address() as AddressInfo;
	return {
		baseUrl: `http://127.0.0.1:${port}`,
		now: () => parts.now,
		setNow: (ms) => {
			parts.now = ms;
		},
		addFaults: (...faults) => parts.faults.add(...faults),
		clearFaults: () => parts.faults.clear(),
		stats: () => parts.stats.read(),
		resetStats: () => parts.stats.reset(),
		arrival: (endpoint) => parts.stats.arrival(endpoint),
		setBook(family, id, book) {
			if (book === null) parts.books.delete(`${family}:${id}`);
			else parts.books.set(`${family}:${id}`, book);
		},
		async close() {
			parts.lifetime.abort(new Error("the replay exchange is closed"));
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			server.closeAllConnections();
			await closed;
			await data.close();
		},
	};
}

function listen(server: Server, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, "127.0.0.1", () => resolve());
	});
}

function fail(response: ServerResponse, error: unknown): void {
	if (response.headersSent || response.destroyed) return void response.destroy();
	send(response, 500, { code: -1000, msg: error instanceof Error ? error.message : String(error) });
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
	const text = typeof body === "string" ? body : JSON.stringify(body);
	response.writeHead(status, {
		"content-type": "application/json;charset=UTF-8",
		"content-length": String(Buffer.byteLength(text)),
		...headers,
	});
	response.end(text);
}

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const url = new URL(request.url ?? "/", "http://127.0.0.1");
	const setNow = (ms: number) => {
		parts.now = ms;
	};
	const admin = await answerAdmin(request, url.pathname, { ...parts, now: () => parts.now, setNow });
	if (admin) return send(response, admin.status, admin.body);
	const endpoint = ENDPOINTS.get(url.pathname);
	if (!endpoint || request.method !== "GET") {
		return send(response, 404, { code: -5000, msg: `Path ${url.pathname}, Method ${request.method} is invalid` });
	}
	await answer(parts, endpoint, url.searchParams, request, response);
}

/** Status 0: the connection is left open or cut, and nothing is sent. */
interface Reply {
	status: number;
	body: unknown;
	headers?: Record<string, string>;
	weight: number;
}

async function answer(
	parts: Parts,
	endpoint: Endpoint,
	query: URLSearchParams,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const address = request.socket.remoteAddress ?? "unknown";
	const symbol = query.get("symbol");
	const struck = parts.faults.strike({ family: endpoint.family, endpoint: endpoint.name, symbol });
	const slow = struck.reduce((sum, fault) => sum + (fault.kind === "slow" ? fault.delay_ms : 0), parts.latencyMs);
	if (slow > 0) await delay(parts.clock, slow, parts.lifetime.signal).catch(() => {});
	// A request that was cut is one that was made: it counts, without an answer.
	const made = response.destroyed
		? { status: 0, body: "", weight: 0 }
		: await replyTo(parts, endpoint, query, address, struck);
	const reply = response.destroyed ? { ...made, status: 0 } : made;
	parts.stats.note({
		at_ms: parts.clock.now(),
		endpoint: `${endpoint.family}/${endpoint.name}`,
		query: query.toString(),
		address,
		status: reply.status,
		weight: reply.weight,
	});
	if (struck.some(({ kind }) => kind === "hang")) return;
	if (reply.status === 0) return void request.socket.destroy();
	const used = String(parts.usage.used(address, endpoint.family));
	const headers = { "x-mbx-used-weight": used, "x-mbx-used-weight-1m": used, ...reply.headers };
	send(response, reply.status, reply.body, headers);
}

async function replyTo(
	parts: Parts,
	endpoint: Endpoint,
	query: URLSearchParams,
	address: string,
	struck: readonly Fault[],
): Promise<Reply> {
	const planned = struck.map(plannedReply).find((reply) => reply !== null);
	if (planned) return planned;
	try {
		const weight = endpoint.weight(query);
		const grant = parts.usage.take(address, endpoint.pool, weight);
		if (!grant.ok) return refused(grant.status, grant.retryAfterS, grant.limit);
		const text = JSON.stringify(await endpoint.answer(query, viewOf(parts, struck)));
		const cut = struck.some(({ kind }) => kind === "truncated");
		return { status: 200, body: cut ? text.slice(0, Math.floor(text.length / 2)) : text, weight };
	} catch (error) {
		if (!(error instanceof ExchangeRefusal)) throw error;
		return { status: error.status, body: error.body, weight: 0 };
	}
}

function viewOf(parts: Parts, struck: readonly Fault[]): View {
	const sum = (amount: (fault: Fault) => number) => struck.reduce((total, fault) => total + amount(fault), 0);
	return {
		data: parts.data,
		nowMs: parts.now,
		skewMs: sum((fault) => (fault.kind === "clock_skew" ? fault.skew_ms : 0)),
		staleCandles: sum((fault) => (fault.kind === "stale_candle" ? fault.candles : 0)),
		openCandle: struck.some(({ kind }) => kind === "open_candle"),
		minNotional: parts.minNotional,
		book: (family, id) => parts.books.get(`${family}:${id}`) ?? null,
	};
}

/** Faults that answer without looking at the data. */
function plannedReply(fault: Fault): Reply | null {
	if (fault.kind === "rate_limited") return refused(429, fault.retry_after_s, null);
	if (fault.kind === "banned") return refused(418, fault.retry_after_s, null);
	if (fault.kind === "server_error") {
		// What stands before an exchange that is down answers with a page, not with the exchange's JSON.
		const body = `<html><body><h1>${fault.status} ${STATUS_CODES[fault.status] ?? "Server Error"}</h1></body></html>`;
		return { status: fault.status, body, headers: { "content-type": "text/html" }, weight: 0 };
	}
	if (fault.kind === "bad_symbol") return { status: 400, body: invalidSymbol().body, weight: 0 };
	return fault.kind === "hang" || fault.kind === "reset" ? { status: 0, body: "", weight: 0 } : null;
}

function refused(status: 429 | 418, retryAfterS: number, limit: number | null): Reply {
	const msg =
		status === 429
			? `Too much request weight used; current limit is ${limit ?? "reached"} request weight per 1 MINUTE.`
			: "Way too much request weight used; IP banned. Please use WebSocket Streams for live updates to avoid bans.";
	return { status, body: { code: -1003, msg }, headers: { "retry-after": String(retryAfterS) }, weight: 0 };
}
