import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/** Child processes that end with the benchmark, and what they have used of the processor. */

const STOP_MS = 3_000;
const TICKS_PER_S = 100;
const children = new Set<ChildProcess>();

export type Server = { child: ChildProcess; output: () => string; stop: () => Promise<void> };

/** A server whose output is kept for the case that it does not start. */
export function startServer(
	file: string,
	args: string[],
	options: { uid?: number; gid?: number; env?: object },
): Server {
	const child = spawn(file, args, {
		...options,
		cwd: "/",
		env: { ...process.env, ...options.env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	children.add(child);
	const lines: string[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on("data", (data: Buffer) => {
			lines.push(String(data));
			if (lines.length > 50) lines.shift();
		});
	}
	child.on("error", (error) => lines.push(String(error)));
	return { child, output: () => lines.join(""), stop: () => stop(child) };
}

export function track(child: ChildProcess): ChildProcess {
	children.add(child);
	return child;
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
	children.delete(child);
	if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
	const gone = once(child, "exit");
	child.kill(signal);
	const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
	await gone;
	clearTimeout(timer);
}

/** For the exit of the benchmark itself, however it comes. */
export function killAll(): void {
	for (const child of children) child.kill("SIGKILL");
}

/** When this process ends, also by a signal, so do the children, and the directory goes. */
export function cleanUpAtExit(directory: string): void {
	process.on("exit", () => {
		killAll();
		rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
	});
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
}

/** CPU time of a process and of all below it, those that have ended included, ms; null where the system does not tell. */
export async function cpuMsOf(pid: number): Promise<number | null> {
	try {
		const below = new Map<number, number[]>();
		const used = new Map<number, number>();
		for (const name of await readdir("/proc")) {
			if (!/^\d+$/.test(name)) continue;
			const text = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
			// The second field is the name in brackets, which may hold anything.
			const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
			if (fields.length < 15) continue;
			const parent = Number(fields[1]);
			below.set(parent, [...(below.get(parent) ?? []), Number(name)]);
			const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
			used.set(Number(name), own);
		}
		const total = (one: number): number =>
			(used.get(one) ?? 0) + (below.get(one) ?? []).reduce((sum, child) => sum + total(child), 0);
		return used.has(pid) ? (total(pid) * 1_000) / TICKS_PER_S : null;
	} catch {
		return null;
	}
}
