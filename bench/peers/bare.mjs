/** The limit: one hash per scan, one auto-pipelined HSET per step, no claim, no fence, no recovery. */
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { serve } from "./serve.mjs";
import { PHASES, phaseOf, rankingOf, rowOf, STRATEGIES } from "./work.mjs";

await serve(async ({ redis_path }) => {
	const redis = new Redis({ path: redis_path, enableAutoPipelining: true });
	return {
		async scan() {
			const id = randomUUID();
			for (const phase of PHASES) await redis.hset(id, phase, JSON.stringify(phaseOf(phase)), "progress", phase);
			const rows = await Promise.all(
				Array.from({ length: STRATEGIES }, async (_, index) => {
					const row = rowOf(id, index);
					await redis.hset(id, `row:${index}`, JSON.stringify(row), "progress", `strategies ${index + 1}`);
					return row;
				}),
			);
			await redis.hset(id, "ranking", JSON.stringify(rankingOf(rows)), "progress", "completed");
			return id;
		},
		async read(id) {
			const fields = await redis.hgetall(id);
			const rows = Object.entries(fields).filter(([name]) => name.startsWith("row:"));
			return {
				rows: rows.length,
				ranked: JSON.parse(fields.ranking).length,
				bytes: rows.reduce((sum, [, text]) => sum + text.length, 0),
				progress: fields.progress === "completed",
			};
		},
		close: () => redis.quit(),
	};
});
