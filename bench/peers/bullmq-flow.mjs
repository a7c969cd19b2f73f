/** A BullMQ flow: the parent does the early phases, waits for fourteen children and ranks what they returned. */
import { randomUUID } from "node:crypto";
import { Queue, WaitingChildrenError, Worker } from "bullmq";
import { serve } from "./serve.mjs";
import { PHASES, phaseOf, rankingOf, rowOf, STRATEGIES } from "./work.mjs";

await serve(async ({ redis_path }) => {
	const connection = { path: redis_path, maxRetriesPerRequest: null };
	const scans = new Queue("scans", { connection });
	const steps = new Queue("steps", { connection });
	const ended = new Map();
	const stepWorker = new Worker("steps", async ({ data }) => rowOf(data.scan_id, data.index), {
		connection,
		concurrency: 128,
	});
	const worker = new Worker(
		"scans",
		async (job, token) => {
			if (job.data.phase !== "strategies") {
				for (const phase of PHASES) await job.updateProgress(phaseOf(phase));
				const parent = { id: job.id, queue: job.queueQualifiedName };
				const children = Array.from({ length: STRATEGIES }, (_, index) => {
					return { name: "step", data: { scan_id: job.id, index }, opts: { parent, jobId: `${job.id}.${index}` } };
				});
				await steps.addBulk(children);
				await job.updateData({ ...job.data, phase: "strategies" });
				if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
			}
			const rows = Object.values(await job.getChildrenValues());
			const ranked = rankingOf(rows);
			await job.updateProgress({ phase: "ranking", done: rows.length });
			return { ranked, rows };
		},
		{ connection, concurrency: 128 },
	);
	worker.on("completed", ({ id }) => ended.get(id)?.resolve());
	worker.on("failed", (job, error) => ended.get(job?.id)?.reject(error));
	const parts = [scans, steps, worker, stepWorker];
	for (const part of parts) part.on("error", (error) => process.stderr.write(`${error}\n`));
	await Promise.all(parts.map((part) => part.waitUntilReady()));
	return {
		async scan() {
			const id = randomUUID();
			const end = new Promise((resolve, reject) => ended.set(id, { resolve, reject }));
			await scans.add("scan", { scan_id: id }, { jobId: id });
			await end.finally(() => ended.delete(id));
			return id;
		},
		async read(id) {
			const { returnvalue, progress } = await scans.getJob(id);
			const { ranked, rows } = returnvalue;
			const bytes = JSON.stringify(rows).length;
			return { rows: rows.length, ranked: ranked.length, bytes, progress: progress.done === STRATEGIES };
		},
		close: () => Promise.all(parts.map((part) => part.close())),
	};
});
