/** Restate: a workflow per scan, a `run` per phase and strategy, progress in its state. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http2";
import * as restate from "@restatedev/restate-sdk";
import { serve } from "./serve.mjs";
import { PHASES, phaseOf, rankingOf, rowOf, STRATEGIES } from "./work.mjs";

// The SDK calls it without asking, and Node 20 has none.
Promise.withResolvers ??= function withResolvers() {
	const held = {};
	held.promise = new this((resolve, reject) => Object.assign(held, { resolve, reject }));
	return held;
};

const scans = restate.workflow({
	name: "scans",
	handlers: {
		run: async (ctx) => {
			for (const phase of PHASES) {
				await ctx.run(phase, async () => phaseOf(phase));
				ctx.set("progress", { phase });
			}
			const steps = Array.from({ length: STRATEGIES }, (_, index) =>
				ctx.run(`strategy_${index}`, async () => rowOf(ctx.key, index)),
			);
			const rows = await restate.RestatePromise.all(steps);
			const ranked = await ctx.run("ranking", async () => rankingOf(rows));
			ctx.set("progress", { phase: "ranking", done: rows.length });
			return { ranked, rows };
		},
		progress: restate.handlers.workflow.shared(async (ctx) => await ctx.get("progress")),
	},
});

await serve(async ({ restate: { ingress, admin } }) => {
	const server = createServer(restate.createEndpointHandler({ services: [scans] }));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const uri = `http://127.0.0.1:${server.address().port}`;
	const registered = await fetch(`http://127.0.0.1:${admin}/deployments`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ uri }),
	});
	if (!registered.ok) throw new Error(`Restate refuses the endpoint: ${await registered.text()}`);
	// One call that answers with the result, as the cheapest client would: the SDK's submit and attach are two.
	const call = async (id, handler) => {
		const answer = await fetch(`http://127.0.0.1:${ingress}/scans/${id}/${handler}`, { method: "POST" });
		if (!answer.ok) throw new Error(`${handler}: ${answer.status} ${await answer.text()}`);
		return await answer.json();
	};
	const attach = async (id) => {
		const answer = await fetch(`http://127.0.0.1:${ingress}/restate/workflow/scans/${id}/attach`);
		return await answer.json();
	};
	return {
		async scan() {
			const id = randomUUID();
			await call(id, "run");
			return id;
		},
		async read(id) {
			const { ranked, rows } = await attach(id);
			const { done } = await call(id, "progress");
			return { rows: rows.length, ranked: ranked.length, bytes: JSON.stringify(rows).length, progress: done === 14 };
		},
		close: async () => server.close(),
	};
});
