/** DBOS on PostgreSQL: a workflow per scan, a step per phase and strategy, progress as an event. */
import { randomUUID } from "node:crypto";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { serve } from "./serve.mjs";
import { PHASES, phaseOf, rankingOf, rowOf, STRATEGIES } from "./work.mjs";

async function scanWorkflow(id) {
	for (const phase of PHASES) {
		await DBOS.runStep(async () => phaseOf(phase), { name: phase });
		await DBOS.setEvent("progress", { phase });
	}
	const steps = Array.from({ length: STRATEGIES }, (_, index) =>
		DBOS.runStep(async () => rowOf(id, index), { name: `strategy_${index}` }),
	);
	const rows = (await Promise.allSettled(steps)).map(({ value }) => value);
	const ranked = await DBOS.runStep(async () => rankingOf(rows), { name: "ranking" });
	await DBOS.setEvent("progress", { phase: "ranking", done: rows.length });
	return { ranked, rows };
}

await serve(async ({ postgres_url }) => {
	const workflow = DBOS.registerWorkflow(scanWorkflow, { name: "scan" });
	DBOS.setConfig({
		name: "bench",
		systemDatabaseUrl: postgres_url,
		systemDatabasePoolSize: 20,
		logLevel: "error",
		runAdminServer: false,
	});
	await DBOS.launch();
	return {
		async scan() {
			const id = randomUUID();
			const handle = await DBOS.startWorkflow(workflow, { workflowID: id })(id);
			await handle.getResult();
			return id;
		},
		async read(id) {
			const { ranked, rows } = await DBOS.retrieveWorkflow(id).getResult();
			const { done } = await DBOS.getEvent(id, "progress", 1);
			return { rows: rows.length, ranked: ranked.length, bytes: JSON.stringify(rows).length, progress: done === 14 };
		},
		close: () => DBOS.shutdown(),
	};
});
