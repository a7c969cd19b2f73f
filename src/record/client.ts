import type { Exchange } from "ccxt";
import { type Clock, delay, LateError, limited } from "../clock.ts";
import { abortable } from "../market/abortable.ts";
import { type ErrorKind, kindOf } from "../market/ccxt/errors.ts";
import { loadExchange, redirectExchange } from "../market/ccxt/load.ts";
import { RECORDED_QUOTE } from "../market/recorded-layout.ts";
import type { Venue } from "./options.ts";

/** One request with its answer's last byte. */
const REQUEST_LIMIT_MS = 60_000;
/** Failures of one request in a row after which its file is given up. */
const ATTEMPTS_MAX = 7;
const BACK_OFF_MS = 1000;
const BACK_OFF_MAX_MS = 30_000;
/** An exchange that wants a longer pause is told of and left alone. */
const PAUSE_MAX_MS = 15 * 60_000;
/** ccxt's own words in an error are cut here. */
const WORDS_MAX = 200;

/** Something of the exchange that cannot be recorded. The message says what. */
export class RecordError extends Error {
	/**
	 * `here`: this file only. `away`: the exchange did not answer for long, others may fare no better. `stop`: going
	 * on is of no use.
	 */
	readonly reach: "here" | "away" | "stop";
	constructor(problem: string, reach: RecordError["reach"] = "here") {
		super(problem);
		this.name = "RecordError";
		this.reach = reach;
	}
}

export interface ListedMarket {
	/** The exchange's own id, which is also the file's name. */
	id: string;
	symbol: string;
	active: boolean;
}

export interface RecordClient {
	venue: Venue;
	/** Markets that the recorded layout has a place for, by id. */
	markets(): Promise<ListedMarket[]>;
	/** The exchange's clock, epoch ms. */
	serverTime(): Promise<number>;
	/**
	 * Rows of an endpoint of the exchange, by ccxt's name of it. Repeated after faults that pass, after the pause
	 * that the exchange asks for. Throws RecordError.
	 */
	rows(endpoint: string, params: Record<string, string | number>): Promise<unknown[]>;
	close(): Promise<void>;
}

export interface ClientOptions {
	venue: Venue;
	baseUrl: string | null;
	clock: Clock;
	signal: AbortSignal;
	/** Told of every pause. */
	say(text: string): void;
	/** ccxt's own spacing of requests by their weight; off only where nobody counts. */
	throttle?: boolean;
}

export async function openClient(options: ClientOptions): Promise<RecordClient> {
	const { venue, baseUrl } = options;
	const exchange = new (await loadExchange(venue))({
		enableRateLimit: options.throttle ?? true,
		timeout: REQUEST_LIMIT_MS / 2,
		options: {
			fetchMarkets: { types: [venue === "binance" ? "spot" : "linear"] },
			fetchCurrencies: false,
			fetchMargins: false,
		},
	});
	if (baseUrl !== null) redirectExchange(exchange, baseUrl);
	const asked = <T>(what: string, ask: () => Promise<T>) => persistently(exchange, what, ask, options);
	return {
		venue,
		async markets() {
			const listed = await asked("markets", () => exchange.loadMarkets(true));
			return Object.values(listed)
				.filter((market) => market !== undefined)
				.filter(({ spot, swap, linear }) => (venue === "binance" ? spot : swap && linear))
				.filter(({ quote }) => quote === RECORDED_QUOTE)
				.map(({ id, symbol, active }) => ({ id: id ?? "", symbol, active: active !== false }))
				.filter(({ id }) => isFileName(id));
		},
		serverTime: () => asked("time", async () => Number(await exchange.fetchTime())),
		rows: (endpoint, params) =>
			asked(endpoint, async () => {
				const call = (exchange as unknown as Record<string, (params: object) => Promise<unknown>>)[endpoint];
				if (call === undefined) throw new RecordError(`ccxt has no ${endpoint} for ${venue}`, "stop");
				const rows = await call(params);
				// A cut body is no JSON, and ccxt then hands it on as a text.
				if (!Array.isArray(rows)) throw new UnreadableAnswer();
				return rows;
			}),
		async close() {
			await exchange.close();
		},
	};
}

/** Ids become names of files: letters and digits of any script, and nothing that could lead elsewhere. */
const isFileName = (id: string): boolean => /^[\p{L}\p{N}]{1,64}$/u.test(id) && id.endsWith(RECORDED_QUOTE);

class UnreadableAnswer extends Error {
	constructor() {
		super("the answer cannot be read");
		this.name = "UnreadableAnswer";
	}
}

async function persistently<T>(
	exchange: Exchange,
	what: string,
	ask: () => Promise<T>,
	{ venue, clock, signal, say }: ClientOptions,
): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		signal.throwIfAborted();
		try {
			return await abortable(limited(clock, REQUEST_LIMIT_MS, `${venue} ${what}`, ask()), signal);
		} catch (error) {
			signal.throwIfAborted();
			const limits = kindOf(error) === "limited";
			const words = `${venue} ${what}: ${(error as Error).message.split(/\r?\n/, 1)[0]?.slice(0, WORDS_MAX)}`;
			if (!limits && !passes(error)) throw error instanceof RecordError ? error : new RecordError(words);
			const backOffMs = Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (attempt - 1));
			const pauseMs = (limits ? retryAfterMs(exchange) : null) ?? backOffMs;
			if (pauseMs > PAUSE_MAX_MS) {
				throw new RecordError(
					`${words} (the exchange asks for a pause of ${pauseMs / 1000} s: come back later)`,
					"stop",
				);
			}
			if (attempt >= ATTEMPTS_MAX) throw new RecordError(`${words} (${attempt} times)`, "away");
			say(`${words}; again in ${pauseMs / 1000} s`);
			await delay(clock, pauseMs, signal);
		}
	}
}

/** What ccxt calls a failure of the network, a limit among them. */
const PASSING: ReadonlySet<ErrorKind> = new Set(["timeout", "limited", "unreachable"]);
/** Faults that may be gone at the next try. */
const passes = (error: unknown): boolean =>
	error instanceof UnreadableAnswer || error instanceof LateError || PASSING.has(kindOf(error));

/** Retry-After of the last answer, which is that of the failed request: there is one at a time. */
function retryAfterMs(exchange: Exchange): number | null {
	const headers = Object.entries((exchange.last_response_headers ?? {}) as Record<string, string>);
	const value = headers.find(([name]) => name.toLowerCase() === "retry-after")?.[1];
	const seconds = value === undefined || value === "" ? Number.NaN : Number(value);
	return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
