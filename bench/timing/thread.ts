import { Worker } from "node:worker_threads";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { crossing } from "../../src/strategies/crossing.ts";
import type { Timing } from "./worker.ts";

/** A thread that evaluates and times; nothing else runs in the process while it works. */
export interface TimingThread {
	time(request: EvaluationRequest): Promise<Timing>;
	close(): Promise<void>;
}

export async function startThread(): Promise<TimingThread> {
	// A thread does not inherit the loader of TypeScript.
	const [loader, entry] = [import.meta.resolve("tsx/esm/api"), new URL("./worker.ts", import.meta.url).href];
	const start = `import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(entry)})))`;
	const worker = new Worker(start, { eval: true, execArgv: [] });
	const next = <T>(): Promise<T> =>
		new Promise((resolve, reject) => {
			worker.once("message", (message: T) => {
				worker.off("error", reject);
				resolve(message);
			});
			worker.once("error", reject);
		});
	await next<"ready">();
	return {
		time(request) {
			const answer = next<Timing>();
			worker.postMessage(crossing(request));
			return answer;
		},
		close: async () => {
			await worker.terminate();
		},
	};
}
