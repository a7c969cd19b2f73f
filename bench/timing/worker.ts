/** One strategy in a thread of its own: its memos and its compiled code are cold when it starts. */
import { parentPort } from "node:worker_threads";
import { arrived, type CrossingRequest } from "../../src/strategies/crossing.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { collectGarbage, processAtRest } from "./garbage.ts";

/** CPU and wall time of one evaluation, ms, and the memory that stays because of it, MB. */
export interface Timing {
	cpuMs: number;
	wallMs: number;
	keptMb: number;
	candidates: number;
	evaluated: number;
	published: number;
}

/** Heap and columns of this thread after a collection, bytes. */
function heldBytes(): number {
	collectGarbage();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

async function timed(crossed: CrossingRequest): Promise<Timing> {
	const before = heldBytes();
	await processAtRest();
	const [cpu, start] = [process.cpuUsage(), performance.now()];
	const { evaluated, published } = evaluate(arrived(crossed));
	const wallMs = performance.now() - start;
	const { user, system } = process.cpuUsage(cpu);
	const keptMb = (heldBytes() - before) / 2 ** 20;
	// Asked for last, so that the request itself is held before and after the evaluation.
	const { length: candidates } = crossed.request.candidates;
	return { cpuMs: (user + system) / 1_000, wallMs, keptMb, candidates, evaluated, published: published.length };
}

parentPort?.postMessage("ready");
parentPort?.on("message", async (crossed: CrossingRequest) => parentPort?.postMessage(await timed(crossed)));
