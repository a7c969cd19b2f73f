/** One strategy in a thread of its own: its memos and its compiled code are cold when it starts. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort } from "node:worker_threads";
import { arrived, type CrossingRequest } from "../../src/strategies/crossing.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";

/** CPU and wall time of one evaluation, ms; heap of the thread after a collection, MB. */
export interface Timing {
	cpuMs: number;
	wallMs: number;
	heapMb: number;
	evaluated: number;
	published: number;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function timed(crossed: CrossingRequest): Timing {
	const [cpu, start] = [process.cpuUsage(), performance.now()];
	const evaluation = evaluate(arrived(crossed));
	const wallMs = performance.now() - start;
	const { user, system } = process.cpuUsage(cpu);
	collectGarbage();
	return {
		cpuMs: (user + system) / 1_000,
		wallMs,
		heapMb: process.memoryUsage().heapUsed / 2 ** 20,
		evaluated: evaluation.evaluated,
		published: evaluation.published.length,
	};
}

collectGarbage();
parentPort?.postMessage({ heapMb: process.memoryUsage().heapUsed / 2 ** 20 });
parentPort?.on("message", (crossed: CrossingRequest) => parentPort?.postMessage(timed(crossed)));
