import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { build } from "../support/program.ts";
import { until } from "../support/wait.ts";

const leftBehind = suite("program: what a test or benchmark leaves behind");

const SUPPORT = join(import.meta.dirname, "..", "support", "program.ts");
const ENDS_WITHOUT_STOPPING = `
	const { startProgram } = await import(${JSON.stringify(SUPPORT)});
	const program = await startProgram({ ADMIN_PASSWORD: "correct horse", MARKET: "simulated:1" });
	process.stdout.write(String(program.process.pid), () => process.exit(0));
`;

const isAlive = (pid: number): boolean => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

leftBehind("a program does not outlive the process that started it and ended without stopping it", async () => {
	await build();
	const args = ["--import", "tsx", "--input-type=module", "--eval", ENDS_WITHOUT_STOPPING];
	const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
	const pid = Number(stdout);
	assert.ok(pid > 0, stdout);
	await until(() => !isAlive(pid), "the program's end", 5_000).finally(
		() => isAlive(pid) && process.kill(pid, "SIGKILL"),
	);
});

leftBehind.run();
