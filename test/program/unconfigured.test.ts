import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Client, isEnded, PATH_WITHOUT_REDIS, type Program, startProgram, stopPrograms } from "../support/program.ts";

const unconfigured = suite("program: a fresh machine, nothing configured");
unconfigured.after(stopPrograms);

const credentials = ({ output }: Program): [email: string, password: string] | null => {
	const found = /e-mail\s+(\S+)\s+password\s+(\S+)/.exec(output());
	return found ? [found[1] ?? "", found[2] ?? ""] : null;
};

for (const [way, path] of [
	["embedded Redis", PATH_WITHOUT_REDIS],
	["whatever PATH offers", process.env.PATH ?? ""],
] as const) {
	unconfigured(`${way}: credentials once, a scan from login to results, an orderly end`, async () => {
		const dataDir = await mkdtemp(join(tmpdir(), "lp-"));
		const program = await startProgram({ PATH: path, DATA_DIR: dataDir });
		const [email, password] = credentials(program) ?? [];
		assert.ok(email && password, "the first start prints the admin's credentials");
		const client = new Client([program.url]);
		assert.is((await client.get("/opportunities/status/latest")).status, 401);
		assert.is((await client.login(email, password)).status, 200);
		const ready = await client.call("GET", "/readyz");
		assert.is(ready.status, 200);
		const { kind } = ready.body.checks.redis;
		assert.is(ready.body.status, kind === "memory" ? "degraded" : "ready");
		if (path === PATH_WITHOUT_REDIS) assert.is(kind, "memory");

		const start = await client.post("/opportunities/discover", { force_refresh: true });
		assert.is(start.status, 200);
		assert.is(start.body.status, "initiated");
		const id = start.body.scan_id;
		const done = await client.poll(id, isEnded);
		assert.is(done.body.status, "complete");
		assert.is(done.body.progress.percentage, 100);
		const results = await client.get(`/opportunities/results/${id}`);
		assert.is(results.status, 200);
		assert.is(results.body.strategy_results.length, 14);
		assert.is(results.body.data_source.kind, "simulated");
		for (const row of results.body.opportunities) assert.is(row.data_source.kind, "simulated");
		for (const item of results.body.strategy_results) {
			const rejected = Object.values(item.rejected as Record<string, number>).reduce((sum, count) => sum + count, 0);
			assert.is(item.evaluated, item.published + item.unproven + rejected, item.strategy_id);
		}
		program.kill("SIGTERM");
		assert.is(await program.ended(), 0);

		if (kind !== "memory") {
			const again = await startProgram({ PATH: path, DATA_DIR: dataDir });
			assert.is(credentials(again), null, "a restart does not print them again");
			const later = new Client([again.url]);
			assert.is((await later.login(email, password)).status, 200);
			assert.is((await later.get(`/opportunities/results/${id}`)).status, 200, "results outlive the process");
			again.kill("SIGTERM");
			assert.is(await again.ended(), 0);
		}
		await rm(dataDir, { recursive: true, force: true });
	});
}

unconfigured("wrong settings are all named at once, and secrets are not repeated", async () => {
	const program = await startProgram(
		{ ROLE: "api", PORT: "99999", JWT_SECRET: "hunter2", MARKET: "nonsense" },
		{ expectFailure: true },
	);
	assert.is(await program.ended(), 1);
	for (const name of ["PORT", "JWT_SECRET", "MARKET"]) assert.ok(program.output().includes(name), name);
	assert.not.ok(program.output().includes("hunter2"));
});

unconfigured.run();
