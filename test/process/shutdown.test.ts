import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Clock } from "../../src/clock.ts";
import { silentLogger } from "../../src/log.ts";
import { type GraceInstaller, installShutdown, runShutdown, type ShutdownStep } from "../../src/process/shutdown.ts";
import { within } from "../support/wait.ts";

const test = suite("shutdown");
const logger = silentLogger();

/** Time that moves only when a step hangs: the next timer then fires. */
function steppedClock() {
	let nowMs = 0;
	let armed: { atMs: number; callback: () => void } | null = null;
	const clock: Clock = {
		now: () => nowMs,
		setTimeout: (callback, delayMs) => {
			armed = { atMs: nowMs + delayMs, callback };
			return armed;
		},
		clearTimeout: () => {
			armed = null;
		},
	};
	const fire = () => {
		const timer = armed;
		if (!timer) throw new Error("no timer is armed");
		nowMs = timer.atMs;
		timer.callback();
	};
	const advance = (ms: number) => {
		nowMs += ms;
	};
	return { clock, fire, advance };
}

test("steps run in order, and the end of each is told", async () => {
	const { clock, advance } = steppedClock();
	const order: string[] = [];
	const step = (name: string): ShutdownStep => ({
		name,
		limitMs: 1000,
		run: () => {
			order.push(name);
			advance(10);
		},
	});
	const ends = await runShutdown([step("a"), step("b"), step("c")], clock, logger);
	assert.equal(order, ["a", "b", "c"]);
	assert.equal(ends[1], { name: "b", end: "done", duration_ms: 10 });
});

test("a failing and a hanging step do not keep the later ones from running", async () => {
	const { clock, fire } = steppedClock();
	let aborted = false;
	const steps: ShutdownStep[] = [
		{ name: "throws", limitMs: 10, run: () => Promise.reject(new Error("no")) },
		{
			name: "hangs",
			limitMs: 700,
			run: (signal) => {
				signal.addEventListener("abort", () => {
					aborted = true;
				});
				queueMicrotask(fire);
				return new Promise(() => undefined);
			},
		},
		{ name: "last", limitMs: 10, run: () => undefined },
	];
	const ends = await within(runShutdown(steps, clock, logger), "shutdown");
	assert.equal(
		ends.map(({ name, end, duration_ms }) => [name, end, duration_ms]),
		[
			["throws", "failed", 0],
			["hangs", "timed_out", 700],
			["last", "done", 0],
		],
	);
	assert.ok(aborted);
});

test("the total bounds all steps together", async () => {
	const { clock, fire } = steppedClock();
	const hang = (name: string): ShutdownStep => ({
		name,
		limitMs: 8000,
		run: () => {
			queueMicrotask(fire);
			return new Promise(() => undefined);
		},
	});
	const ends = await within(runShutdown([hang("a"), hang("b"), hang("c"), hang("d")], clock, logger), "shutdown");
	assert.equal(
		ends.map(({ end, duration_ms }) => [end, duration_ms]),
		[
			["timed_out", 8000],
			["timed_out", 8000],
			["timed_out", 4000],
			["skipped", 0],
		],
	);
});

test("steps are asked for when the end begins, and the process is bounded from outside too", async () => {
	let close: Parameters<GraceInstaller>[1] = async () => undefined;
	let delay = 0;
	const install: GraceInstaller = (options, handler) => {
		close = handler;
		delay = options.delay;
		return { close: () => undefined, uninstall: () => undefined };
	};
	const steps: ShutdownStep[] = [];
	const ran: string[] = [];
	installShutdown(() => steps, steppedClock().clock, logger, install);
	steps.push({ name: "late", limitMs: 10, run: () => void ran.push("late") });
	await close({ signal: "SIGTERM" });
	assert.equal(ran, ["late"]);
	assert.is(delay, 20_500);
});

const LONG_RUNNER = fileURLToPath(new URL("./support/long-runner.ts", import.meta.url));

function startRunner(step: "quick" | "hanging") {
	const child = spawn(process.execPath, ["--import", "tsx", LONG_RUNNER, step], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
	const said = (word: string) =>
		new Promise<void>((resolve) => {
			child.stdout.on("data", (text: Buffer) => {
				if (text.toString().includes(word)) resolve();
			});
		});
	return { child, ended, said };
}

test("SIGTERM ends a real process in order with code 0", async () => {
	const { child, ended, said } = startRunner("quick");
	await within(said("ready"), "start");
	const closed = said("closed");
	child.kill("SIGTERM");
	await within(closed, "step");
	assert.is(await within(ended, "exit"), 0);
});

test("a second signal ends a hanging process at once", async () => {
	const { child, ended, said } = startRunner("hanging");
	await within(said("ready"), "start");
	const closing = said("closing");
	child.kill("SIGTERM");
	await within(closing, "step");
	child.kill("SIGINT");
	assert.is(await within(ended, "exit"), 1);
});

test.run();
