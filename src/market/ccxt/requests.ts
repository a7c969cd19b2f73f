/** Every HTTP request of an exchange passes here: through the gate, with a deadline, and reading only. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Exchange } from "ccxt";
import type { Clock } from "../../clock.ts";
import { boundedText } from "../bounded-text.ts";
import { BLOCK_WAIT_MS_MAX, type CallRank, type SourceGate, type SourceOutcome } from "../gate.ts";
import { ANSWER_BYTES_MAX, begunAt } from "../live-rules.ts";
import { kindOf, NotServed, UnreadableAnswer } from "./errors.ts";

/** One request, from its sending to the last byte of its answer. Its wait at the gate does not count. */
export const REQUEST_LIMIT_MS = 10_000;

export interface RequestsOptions {
	/** Owner of the budget, e.g. `binance`. */
	source: string;
	gate: Pick<SourceGate, "take" | "report">;
	/** Weight in the exchange's own units, from ccxt's cost of the endpoint and the group it belongs to. */
	weightOf(cost: number, group: string): number;
	/** Part of the budget that the exchange counts apart, from path and group of the endpoint; null: none. */
	budgetOf(path: string, group: string): string | null;
	/** Used weight of that part of the budget (null: of the whole) that the answer's headers name; null: they do not. */
	usedWeight(headers: Headers, budget: string | null): number | null;
	/** Told of the headers of each answer. */
	answered?(headers: Headers): void;
	requestLimitMs?: number;
	/** Where answers that processes keep are shared between them; absent: each process asks for itself. */
	share?: ShareRequest;
}

/**
 * The text of the answer to a request, of whichever process fetched it; `load` asks the exchange. `begunMs`: when who asks
 * began, null: now.
 */
export type ShareRequest = (
	name: string,
	freshMs: number,
	load: () => Promise<string>,
	signal: AbortSignal,
	begunMs: number | null,
) => Promise<{ text: string; age_ms: number }>;

/** What the answers to a call's requests are kept for, and how old the oldest of them is. */
interface Keeping {
	for_ms: number;
	age_ms: number;
}

/** What belongs to the call that a request is made for; ccxt itself passes no signal through. */
interface Context {
	signal: AbortSignal;
	weight: number;
	/** Its place among the requests of the process that wait. */
	rank: CallRank;
	/** When who asks began, epoch ms; null: now. */
	begun_ms: number | null;
	/** Part of the budget, see RequestsOptions. */
	budget: string | null;
	/** Path with its places unfilled, so that an endpoint is one however many symbols are asked for. */
	template: string;
	seen: Seen;
	/** Null: the answers are not kept beyond the call. */
	keeping: Keeping | null;
	/** The text of an answer that another process fetched; no request is sent. */
	given: string | null;
}

interface Seen {
	status: number | null;
	headers: Headers | null;
	text: string;
}

type Fetch = Exchange["fetch"];

const contexts = new AsyncLocalStorage<Context>();
const nothingSeen = (): Seen => ({ status: null, headers: null, text: "" });

const contextOf = (signal: AbortSignal, rank: CallRank = 0, begunMs: number | null = null): Context => ({
	signal,
	weight: 1,
	rank,
	begun_ms: begunMs,
	budget: null,
	template: "",
	seen: nothingSeen(),
	keeping: null,
	given: null,
});

/**
 * Runs a call of ccxt; its requests end when `signal` aborts, and let those of a lower rank go first. `begunMs`: when who
 * asks began; absent: as in the call that this one is part of.
 */
export const underSignal = <T>(
	signal: AbortSignal,
	call: () => Promise<T>,
	rank: CallRank = 0,
	begunMs = contexts.getStore()?.begun_ms ?? null,
): Promise<T> => contexts.run(contextOf(signal, rank, begunMs), call);

/** When who asks began, on the process's clock: what was fresh then is fresh for it. */
export const begunIn = (clock: Clock): number => begunAt(clock.now(), contexts.getStore()?.begun_ms ?? undefined);

/**
 * Runs a call of ccxt whose outcome is kept for `keptMs`: the answers to its requests are shared between processes for as
 * long. `age_ms`: since the oldest of them was fetched.
 */
export async function keptFor<T>(keptMs: number, call: () => Promise<T>): Promise<{ value: T; age_ms: number }> {
	const keeping: Keeping = { for_ms: keptMs, age_ms: 0 };
	const value = await contexts.run({ ...(contexts.getStore() ?? orphan()), keeping }, call);
	return { value, age_ms: keeping.age_ms };
}

/**
 * Puts the gate before the exchange's requests, in place of ccxt's throttling (which knows one instance of one
 * process only). Must be the last thing done to the instance.
 */
export function guardRequests(exchange: Exchange, options: RequestsOptions): void {
	exchange.enableRateLimit = false;
	exchange.fetchImplementation = (url: string, request: RequestInit) => send(url, request, options);
	weighRequests(exchange, options);
	const ask = exchange.fetch.bind(exchange);
	const gated = gateRequests(ask, options);
	exchange.fetch = options.share ? shareRequests(ask, gated, options.share) : gated;
	refuseHalfAnswers(exchange);
}

function weighRequests(exchange: Exchange, { weightOf, budgetOf }: RequestsOptions): void {
	const fetch2 = exchange.fetch2.bind(exchange);
	exchange.fetch2 = (path, group, method, params, headers, body, config) => {
		const name = Array.isArray(group) ? group.join(".") : String(group);
		onlyPublic(exchange.id, name, String(method ?? "GET"));
		const context = contexts.getStore() ?? orphan();
		const cost = Number(exchange.calculateRateLimiterCost(group, method, path, params, config));
		const weight = Math.max(1, Math.ceil(weightOf(Number.isFinite(cost) ? cost : 1, name)));
		const template = String(path).includes("{") ? String(path) : "";
		return contexts.run({ ...context, weight, template, budget: budgetOf(String(path), name) }, () =>
			fetch2(path, group, method, params, headers, body, config),
		);
	};
}

/** Reading needs no key, so nothing of a key's may ever be called; and only a public group may be asked by POST. */
function onlyPublic(id: string, group: string, method: string): void {
	if (/private/i.test(group) || (method !== "GET" && !/public/i.test(group))) {
		throw new Error(`${id}: ${method} of ${group} is no public reading`);
	}
}

const orphan = (): Context => contextOf(AbortSignal.timeout(REQUEST_LIMIT_MS));

function gateRequests(ask: Fetch, { source: owner, gate, usedWeight }: RequestsOptions): Fetch {
	return async (url, method, headers, body) => {
		const context = contexts.getStore() ?? orphan();
		const endpoint = context.template === "" ? new URL(url).pathname : `/${context.template}`;
		const { budget, weight, rank, signal } = context;
		const source = budget === null ? owner : `${owner}:${budget}`;
		const report = (outcome: SourceOutcome) => gate.report({ source, endpoint }, outcome);
		for (let again = false; ; again = true) {
			await gate.take({ source, endpoint, weight, signal, ...(rank > 0 ? { rank } : {}) });
			const seen = nothingSeen();
			try {
				const answer = await contexts.run({ ...context, seen }, () => ask(url, method, headers, body));
				context.seen.text = seen.text;
				report({ kind: "ok", used_weight: seen.headers && usedWeight(seen.headers, budget) });
				return answer;
			} catch (error) {
				const outcome = outcomeOf(error, seen, signal);
				report(outcome);
				if (again || !isShortPause(outcome)) throw whatItIs(error, seen);
			}
		}
	};
}

/** ccxt takes a path that is not there for an exchange that is not. */
const whatItIs = (error: unknown, { status }: Seen): unknown =>
	status === 404 && kindOf(error) === "unreachable" ? new NotServed(error) : error;

/** Before the gate: an answer that another process has fetched needs no request. Only what a path and a query name. */
function shareRequests(ask: Fetch, gated: Fetch, share: ShareRequest): Fetch {
	return async (url, method, headers, body) => {
		const context = contexts.getStore() ?? orphan();
		const { keeping, signal, begun_ms } = context;
		if (keeping === null || (method ?? "GET") !== "GET" || body !== undefined) return gated(url, method, headers, body);
		const { pathname, search } = new URL(url);
		const own: unknown[] = [];
		const load = async (): Promise<string> => {
			const seen = nothingSeen();
			own.push(await contexts.run({ ...context, seen }, () => gated(url, method, headers)));
			return seen.text;
		};
		const { text, age_ms } = await share(`${pathname}${search}`, keeping.for_ms, load, signal, begun_ms);
		keeping.age_ms = Math.max(keeping.age_ms, age_ms);
		if (own.length > 0) return own[0];
		return contexts.run({ ...context, given: text }, () => ask(url, method, headers));
	};
}

/** The exchange wants a pause that the gate will wait for: then the request is worth a second try. */
const isShortPause = (outcome: SourceOutcome): boolean =>
	outcome.kind === "limited" &&
	outcome.status === 429 &&
	outcome.retry_after_ms !== null &&
	outcome.retry_after_ms <= BLOCK_WAIT_MS_MAX;

/** The exchange that says no has answered; only one that cannot be understood, or not reached, has failed. */
export function outcomeOf(
	error: unknown,
	{ status, headers }: Pick<Seen, "status" | "headers">,
	signal: AbortSignal,
): SourceOutcome {
	const kind = kindOf(error);
	if (status === 429 || status === 418 || kind === "limited") {
		return {
			kind: "limited",
			status: status === 418 ? 418 : 429,
			retry_after_ms: retryAfterMs(headers?.get("retry-after") ?? null),
		};
	}
	// Whoever lost interest says nothing about the source, unless it was its slowness that ended the call.
	const impatient = signal.aborted && (signal.reason as { code?: unknown } | null)?.code !== "timeout";
	const answered = status !== null && status < 500 && ["bad_symbol", "not_supported", "refused"].includes(kind);
	return impatient || answered ? { kind: "ok", used_weight: null } : { kind: "failed" };
}

/** Retry-After in seconds (exchanges send no dates) -> ms. */
function retryAfterMs(header: string | null): number | null {
	const seconds = header === null || header.trim() === "" ? Number.NaN : Number(header);
	return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** A cut body parses to nothing; passed on it would look like an exchange without data. */
function refuseHalfAnswers(exchange: Exchange): void {
	const parse = exchange.parseJson.bind(exchange);
	exchange.parseJson = (text: string) => {
		const value = parse(text);
		const { status } = contexts.getStore()?.seen ?? nothingSeen();
		if (value === undefined && status !== null && status < 400) throw new UnreadableAnswer(text.length);
		return value;
	};
}

/** What ccxt reads of a response. */
interface Answer {
	status: number;
	statusText: string;
	headers: Headers;
	text(): Promise<string>;
}

async function send(url: string, request: RequestInit, options: RequestsOptions): Promise<Answer> {
	const { signal, seen, given } = contexts.getStore() ?? orphan();
	if (given !== null) return answerOf({ status: 200, statusText: "OK", headers: new Headers() }, given);
	const limit = AbortSignal.timeout(options.requestLimitMs ?? REQUEST_LIMIT_MS);
	const { method = "GET", headers, body } = request;
	const response = await fetch(url, {
		method,
		...(headers ? { headers } : {}),
		...(body ? { body } : {}),
		signal: AbortSignal.any([signal, limit]),
		redirect: "error",
	});
	seen.status = response.status;
	seen.headers = response.headers;
	options.answered?.(response.headers);
	// Read here, within the request's limit: ccxt's own ends with the headers.
	seen.text = await boundedText(response, ANSWER_BYTES_MAX, (bytes) => new UnreadableAnswer(bytes));
	return answerOf(response, seen.text);
}

const answerOf = ({ status, statusText, headers }: Omit<Answer, "text">, text: string): Answer => ({
	status,
	statusText,
	headers,
	text: async () => text,
});
