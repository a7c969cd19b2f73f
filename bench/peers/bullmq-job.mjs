/**
 * One BullMQ job per scan. "full" keeps all that was found in the job's data after every step, so that a retry finds
 * it; "lean" (argument) appends each step to the job's log instead, the cheapest durable record that BullMQ has.
 */
import { randomUUID } from "node:crypto";
import { Queue, Worker } from "bullmq";
import { serve } from "./serve.mjs";
import { PHASES, phaseOf, rankingOf, rowOf, STEPS, STRATEGIES } from "./work.mjs";

const lean = process.argv[2] === "lean";

await serve(async ({ redis_path }) => {
	const connection = { path: redis_path, maxRetriesPerRequest: null };
	const queue = new Queue("scans", { connection });
	const ended = new Map();
	const worker = new Worker(
		"scans",
		async (job) => {
			let done = 0;
			const state = { ...job.data, phases: {}, rows: [] };
			const record = async (entry) => {
				done += 1;
				const kept = lean ? job.log(JSON.stringify(entry)) : job.updateData(state);
				await Promise.all([kept, job.updateProgress({ done, of: STEPS })]);
			};
			for (const phase of PHASES) {
				state.phases[phase] = phaseOf(phase);
				await record(state.phases[phase]);
			}
			await Promise.all(
				Array.from({ length: STRATEGIES }, async (_, index) => {
					const row = rowOf(job.id, index);
					state.rows.push(row);
					await record(row);
				}),
			);
			const ranked = rankingOf(state.rows);
			await record({ ranked });
			return { ranked, rows: state.rows };
		},
		{ connection, concurrency: 128 },
	);
	worker.on("completed", ({ id }) => ended.get(id)?.resolve());
	worker.on("failed", (job, error) => ended.get(job?.id)?.reject(error));
	for (const part of [queue, worker]) part.on("error", (error) => process.stderr.write(`${error}\n`));
	await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
	return {
		async scan() {
			const id = randomUUID();
			const end = new Promise((resolve, reject) => ended.set(id, { resolve, reject }));
			await queue.add("scan", { scan_id: id }, { jobId: id });
			await end.finally(() => ended.delete(id));
			return id;
		},
		async read(id) {
			const { returnvalue, progress } = await queue.getJob(id);
			const bytes = JSON.stringify(returnvalue.rows).length;
			const { ranked, rows } = returnvalue;
			return { rows: rows.length, ranked: ranked.length, bytes, progress: progress.done === STEPS };
		},
		close: () => Promise.all([worker.close(), queue.close()]),
	};
});
