import type { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import { abortable, onAbort } from "../market/abortable.ts";
import { openGate, type SourceCall, type SourceGate } from "../market/gate.ts";
import { createGateRelay } from "../market/gate-relay.ts";
import { createSlots } from "../market/slots.ts";
import { startWorker } from "../worker-thread.ts";
import type { AccountAnswer, AccountRequest, AccountResults, AccountTask, WorkerSettings } from "./account-worker.ts";
import { ExchangeAccountError, type ExchangeAccounts } from "./contract.ts";
import { saysRights } from "./rights.ts";
import { createShares } from "./shares.ts";

export interface ExchangeAccountsOptions {
	/** MARKET_BASE_URL: requests go there instead of to the exchange. */
	baseUrl: string | null;
	/** Before every request, with the budgets of market data; absent: each passes at once. */
	gate?: SourceGate;
	clock: Clock;
}

/** Calls to exchanges at once, and those that wait for their turn. */
const CALLS_MAX = 32;
const WAITING_MAX = 512;
/** A thread starts and loads one file. */
const KNOWS_LIMIT_MS = 15_000;

interface Waiting {
	resolve(value: unknown): void;
	reject(error: Error): void;
}

/** The gate of the program, for accounts: its refusals as the words that accounts have for them. */
function accountGate(gate: SourceGate): Pick<SourceGate, "take" | "report"> {
	const isBlocked = ({ source, needs }: SourceCall) =>
		gate.states().some((state) => [source, needs].includes(state.source) && state.blocked_until_ms !== null);
	return {
		report: gate.report,
		async take(call) {
			try {
				await gate.take(call);
			} catch (error) {
				if (call.signal.aborted) throw error;
				throw new ExchangeAccountError(isBlocked(call) ? "rate_limited" : "exchange_unavailable");
			}
		},
	};
}

/** One thread with what waits for it; it is started by the first call and again after it has died. */
function createThread(settings: WorkerSettings, gate: SourceGate) {
	const waiting = new Map<number, Waiting>();
	let worker: Worker | null = null;
	let lastId = 0;
	const turns = createGateRelay(accountGate(gate), (message) => worker?.postMessage(message));

	const lose = (lost: Worker) => {
		if (worker !== lost) return;
		worker = null;
		turns.clear("the thread of accounts has ended");
		for (const { reject } of waiting.values()) reject(new ExchangeAccountError("exchange_error"));
		waiting.clear();
	};

	function start(): Worker {
		// No environment: nothing in there is an exchange's business. What ccxt prints is dropped.
		const options = { workerData: settings, env: {}, stdout: true, stderr: true };
		const started = startWorker("./account-worker", import.meta.url, options);
		started.stdout.resume();
		started.stderr.resume();
		started.unref();
		started.on("message", (answer: AccountAnswer) => {
			if ("kind" in answer) return turns.receive(answer);
			const asker = waiting.get(answer.id);
			waiting.delete(answer.id);
			if (answer.ok) asker?.resolve(answer.value);
			else asker?.reject(new ExchangeAccountError(answer.code, answer.retry_after_ms));
		});
		started.on("error", () => lose(started));
		started.on("exit", () => lose(started));
		return started;
	}

	return {
		ask(task: AccountTask): { answer: Promise<unknown>; giveUp(): void } {
			worker ??= start();
			const asked = worker;
			const id = ++lastId;
			const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
			const send = (request: AccountRequest) => asked.postMessage(request);
			send({ id, task });
			return {
				answer,
				giveUp() {
					if (waiting.delete(id) && worker === asked) send({ id, cancel: true });
				},
			};
		},
		async close() {
			const ended = worker;
			worker = null;
			turns.clear("accounts are closed");
			if (ended) await ended.terminate();
			for (const { reject } of waiting.values()) reject(new ExchangeAccountError("exchange_unavailable"));
			waiting.clear();
		},
	};
}

/** What a timer in the thread takes. */
const wholeMs = (limitMs: number): number => Math.max(1, Math.ceil(limitMs));

/** Accounts at any exchange of ccxt. Every call has a deadline, the wait for its turn included. */
export function createExchangeAccounts({ baseUrl, gate = openGate, clock }: ExchangeAccountsOptions): ExchangeAccounts {
	const thread = createThread({ base_url: baseUrl }, gate);
	const full = () => new ExchangeAccountError("overloaded");
	const slots = createSlots(CALLS_MAX, WAITING_MAX, full);
	const share = createShares(slots, full);

	async function ask(task: AccountTask, signal: AbortSignal): Promise<unknown> {
		const { answer, giveUp } = thread.ask(task);
		const forget = onAbort(signal, giveUp);
		return abortable(answer, signal).finally(forget);
	}

	async function within<K extends keyof AccountResults>(
		task: AccountTask & { kind: K },
		limitMs: number,
		parent: AbortSignal | null,
	): Promise<AccountResults[K]> {
		const limit = new AbortController();
		const timer = clock.setTimeout(() => limit.abort(new ExchangeAccountError("timeout")), limitMs);
		const signal = parent ? AbortSignal.any([parent, limit.signal]) : limit.signal;
		try {
			const work = () => ask(task, signal);
			const call = "account" in task ? share(task.account.user_id, signal, work) : slots.run(signal, work);
			return (await call) as AccountResults[K];
		} finally {
			clock.clearTimeout(timer);
		}
	}

	return {
		knows: (exchange) => within({ kind: "knows", exchange }, KNOWS_LIMIT_MS, null),
		async read(account, signal, limitMs) {
			const as_of_ms = clock.now();
			return { ...(await within({ kind: "read", account, limit_ms: wholeMs(limitMs) }, limitMs, signal)), as_of_ms };
		},
		permissions: async (account, signal, limitMs) =>
			saysRights(account.exchange)
				? within({ kind: "permissions", account, limit_ms: wholeMs(limitMs) }, limitMs, signal)
				: null,
		close: () => thread.close(),
	};
}
