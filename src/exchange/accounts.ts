import type { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import { onAbort } from "../market/abortable.ts";
import { createSlots } from "../market/slots.ts";
import { startWorker } from "../worker-thread.ts";
import type { AccountAnswer, AccountRequest, AccountResults, AccountTask, WorkerSettings } from "./account-worker.ts";
import { type AccountErrorCode, ExchangeAccountError, type ExchangeAccounts } from "./contract.ts";

export interface ExchangeAccountsOptions {
	/** MARKET_BASE_URL: requests go there instead of to the exchange. */
	baseUrl: string | null;
	clock: Clock;
	/** Longest wait for one call, and with it for everything that it sends. */
	limitMs?: number;
}

/** Calls to exchanges at once, and those that wait for their turn. */
const CALLS_MAX = 16;
const WAITING_MAX = 256;
const LIMIT_MS = 8_000;
/** The thread answers at its own limit; one that has stopped answering is given up a little later. */
const THREAD_GRACE_MS = 500;

interface Waiting {
	resolve(value: unknown): void;
	reject(error: Error): void;
}

/** One thread with what waits for it; it is started by the first call and again after it has died. */
function createThread(settings: WorkerSettings) {
	const waiting = new Map<number, Waiting>();
	let worker: Worker | null = null;
	let lastId = 0;

	const lose = (lost: Worker) => {
		if (worker !== lost) return;
		worker = null;
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
			const asker = waiting.get(answer.id);
			waiting.delete(answer.id);
			if (answer.ok) asker?.resolve(answer.value);
			else asker?.reject(new ExchangeAccountError(answer.code));
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
			if (ended) await ended.terminate();
			for (const { reject } of waiting.values()) reject(new ExchangeAccountError("exchange_unavailable"));
			waiting.clear();
		},
	};
}

/** Accounts at any exchange of ccxt. Every call has a deadline and joins a bounded queue. */
export function createExchangeAccounts(options: ExchangeAccountsOptions): ExchangeAccounts {
	const { clock, limitMs = LIMIT_MS } = options;
	const thread = createThread({ base_url: options.baseUrl });
	const slots = createSlots(CALLS_MAX, WAITING_MAX, () => new ExchangeAccountError("overloaded"));

	function ask<K extends AccountTask["kind"]>(
		task: AccountTask & { kind: K },
		signal: AbortSignal,
	): Promise<AccountResults[K]> {
		return new Promise((resolve, reject) => {
			const { answer, giveUp } = thread.ask(task);
			const fail = (error: unknown) => {
				giveUp();
				settle();
				reject(error);
			};
			const late = (code: AccountErrorCode) => fail(new ExchangeAccountError(code));
			const timer = clock.setTimeout(() => late("timeout"), limitMs + THREAD_GRACE_MS);
			const forget = onAbort(signal, () => fail(signal.reason));
			const settle = () => {
				clock.clearTimeout(timer);
				forget();
			};
			answer.then((value) => {
				settle();
				resolve(value as AccountResults[K]);
			}, fail);
		});
	}

	return {
		knows: (exchange) => ask({ kind: "knows", exchange }, new AbortController().signal),
		read(account, signal) {
			return slots.run(signal, async () => {
				const as_of_ms = clock.now();
				return { ...(await ask({ kind: "read", account, limit_ms: limitMs }, signal)), as_of_ms };
			});
		},
		permissions: (account, signal) =>
			slots.run(signal, () => ask({ kind: "permissions", account, limit_ms: limitMs }, signal)),
		close: () => thread.close(),
	};
}
