import { globalKeys } from "../../src/store/keys.ts";
import { checkHistory } from "./checker.ts";
import { type Observation, runClient } from "./clients.ts";
import { bootApi, bootWorker, SETTINGS, type Surroundings } from "./cluster.ts";
import { crashPoint } from "./crash-point.ts";
import { type FaultPlan, faultPlan, LONG_RETENTION_MS, NO_STORE_FAULTS } from "./faults.ts";
import { brief, createHistory, type History } from "./history.ts";
import { cancelWithoutHolder } from "./lost-holders.ts";
import { Processes } from "./processes.ts";
import { createSimulatedQueue } from "./queue.ts";
import { diceOf } from "./random.ts";
import type { Network } from "./redis-client.ts";
import { type CrashPoint, type SimulationOptions, type SimulationResult, START_MS } from "./result.ts";
import { scriptName } from "./script-names.ts";
import { createSimulatedServer, loadLua, type SimulatedServer } from "./server.ts";
import { createShadows, lifeOf, type Shadows, type Violation } from "./shadow.ts";
import { watchedEffects } from "./watched-effects.ts";
import { createWorld, type Process, type World, withWorldImmediates } from "./world.ts";

const USERS = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
/** How long clients start new scans. */
const STARTS_MS = 10_000;
const TASKS_MAX = 400_000;
/** How long a worker stays down that died at a crash point. */
const CRASH_DOWN_MS = 2_000;
/** From the last trouble to the end of every scan, generously: what is late by then never comes. */
const SETTLE_MS = 30_000;

export { type CrashPoint, type SimulationOptions, type SimulationResult, START_MS };

let undisturbed: Promise<ReadonlyMap<string, string>> | undefined;

/** Results of a run without trouble, made once per thread. */
async function undisturbedOutcomes(): Promise<ReadonlyMap<string, string>> {
	const { shadows, violations } = await runSeed(0, { profile: "calm" }, new Map());
	if (violations.length > 0) throw new Error(`the undisturbed run is not sound: ${JSON.stringify(violations[0])}`);
	const completed = [...shadows.scans.values()].filter(({ facts }) => facts.position === "completed");
	return new Map(completed.map(({ filterKey, final }) => [filterKey, final?.outcome ?? ""]));
}

export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
	undisturbed ??= undisturbedOutcomes();
	return runSeed(seed, options, await undisturbed);
}

async function runSeed(
	seed: number,
	options: SimulationOptions,
	expected: ReadonlyMap<string, string>,
): Promise<SimulationResult> {
	const lua = await loadLua();
	const dice = diceOf(seed);
	const world = createWorld(dice.fork("world"), START_MS);
	const server = createSimulatedServer(lua, () => world.now());
	const run = new Simulation(seed, world, server, options, expected);
	return withWorldImmediates(world, () => run.run());
}

class Simulation {
	private readonly seed: number;
	private readonly world: World;
	private readonly server: SimulatedServer;
	private readonly options: SimulationOptions;
	private readonly plan: FaultPlan;
	private readonly history: History;
	private readonly shadows: Shadows;
	private readonly violations: Violation[] = [];
	private readonly observations: Observation[] = [];
	private readonly processes: Processes;
	private readonly decidedMs = new Map<string, number>();
	private readonly around: Surroundings;
	private clientsLeft = 0;
	private crashCalls = 0;
	private stoodStill = false;

	private readonly expected: ReadonlyMap<string, string>;

	constructor(
		seed: number,
		world: World,
		server: SimulatedServer,
		options: SimulationOptions,
		expected: ReadonlyMap<string, string>,
	) {
		this.expected = expected;
		this.seed = seed;
		this.world = world;
		this.server = server;
		this.options = options;
		const plan = faultPlan(diceOf(seed).fork("plan"), options.profile);
		this.plan = this.isPlain() ? { ...plan, retentionMs: LONG_RETENTION_MS } : plan;
		this.history = createHistory(() => world.now() - START_MS);
		this.shadows = createShadows(
			server.keyspace,
			() => world.now(),
			(invariant, text) => this.violate(invariant, text),
			(shadow) => this.history.note("scan_ended", { scan_id: shadow.scanId, as: shadow.facts.position }),
		);
		this.processes = new Processes({
			world,
			plan: this.plan,
			history: this.history,
			healed: () => this.healed(),
			boot: async (process, isApi) => {
				// In every other history the processes that answer requests run scans too, as the program does by default.
				if (isApi) return bootApi(this.around, process, seed % 2 === 1 && !this.isPlain());
				await bootWorker(this.around, process);
				return null;
			},
		});
		server.onPublish((channel, message) => this.processes.publish(channel, message));
		this.around = this.surroundings();
	}

	async run(): Promise<SimulationResult> {
		const { world, plan } = this;
		this.history.note("plan", { seed: this.seed, ...plan });
		this.processes.start();
		this.startClients();
		const returnsMs = plan.retentionMs === LONG_RETENTION_MS ? 0 : plan.retentionMs + SETTINGS.limits.budget_ms;
		const untilMs = START_MS + plan.healAtMs + SETTINGS.limits.budget_ms + SETTLE_MS * 2 + returnsMs;
		const end = await world.run(() => this.isDone(), untilMs, TASKS_MAX);
		const result: SimulationResult = {
			crashCalls: this.crashCalls,
			seed: this.seed,
			plan,
			violations: this.violations,
			history: this.history,
			observations: this.observations,
			shadows: this.shadows,
			decidedMs: this.decidedMs,
			undisturbed: this.expected,
			server: this.server,
			end,
			tasks: world.tasksRun(),
			simulatedMs: world.now() - START_MS,
		};
		if (this.violations.length === 0) checkHistory(result, (invariant, text) => this.violate(invariant, text));
		return result;
	}

	/** Crash points are about one scan; histories that were found with plain clients are kept by them. */
	private isPlain(): boolean {
		return this.options.plain === true || this.options.crash !== undefined;
	}

	private healed(): boolean {
		return this.world.now() >= START_MS + this.plan.healAtMs;
	}

	private violate(invariant: string, text: string): void {
		this.violations.push({ invariant, text });
		this.history.note("VIOLATION", { invariant, text });
	}

	/** All clients have had their say, trouble is over, and every scan has ended and been booked. */
	private isDone(): boolean {
		if (this.violations.length > 0 && this.options.failFast !== false) return true;
		if (this.clientsLeft > 0 || !this.healed()) return false;
		const open = [...this.shadows.scans.values()].some(({ facts }) => facts.accepted && !facts.ended);
		const listed = [globalKeys.due, globalKeys.unclaimed].some(
			(key) => this.server.keyspace.execute("ZCARD", [key]) !== 0,
		);
		return !open && !listed;
	}

	private surroundings(): Surroundings {
		const { world } = this;
		const healed = () => this.healed();
		const network: Network = {
			world,
			perform: (from, life, command, args) => this.perform(from, life, command, args),
			odds: (from) => {
				if (healed()) return NO_STORE_FAULTS;
				return this.processes.isCutOff(from) ? null : this.plan.store;
			},
			noteFault: (from, kind, command) => this.history.note("fault", { by: lifeOf(from), kind, command }),
			...(this.options.crash ? this.crashing(this.options.crash) : {}),
		};
		const queueOdds = () => (healed() ? { lost: 0, twice: 0 } : this.plan.queue);
		const note = (kind: string, scan_id: string) => this.history.note(kind, { scan_id });
		return {
			network,
			retentionMs: this.plan.retentionMs,
			market: {
				world,
				odds: () => (healed() ? { error: 0, hang: 0, slow: 0 } : this.plan.market),
				noteFault: (by, kind, call) => this.history.note("fault", { by: lifeOf(by), kind, call }),
			},
			queue: createSimulatedQueue(world, network, queueOdds, note),
			pastQueue: this.plan.pastQueue,
			subscribe: (process, deliver) => this.processes.subscribe(process, deliver),
			effects: (process, real) =>
				watchedEffects(
					{ history: this.history, shadows: this.shadows, violate: (...said) => this.violate(...said) },
					process,
					this.options.mutant?.effects?.(real) ?? real,
				),
			writer: (_, real) => this.options.mutant?.writer?.(real) ?? real,
			reader: (_, real) => this.options.mutant?.reader?.(real) ?? real,
			idempotency: (real) => this.options.mutant?.idempotency?.(real) ?? real,
			log: (process) => this.log(process),
		};
	}

	/** Counts what workers send, and kills at the nth. */
	private crashing(point: CrashPoint): Pick<Network, "choose" | "crash"> {
		const isPoint = crashPoint(point, this.shadows.scans, this.server);
		return {
			choose: (from, command, args) => {
				if (!isPoint(from, command, args)) return null;
				this.crashCalls += 1;
				if (this.crashCalls !== point.nth) return null;
				return point.when === "before" ? "crash" : "crash_after";
			},
			crash: (process) => this.processes.crash(process, CRASH_DOWN_MS),
		};
	}

	private log(process: Process) {
		const { life } = process;
		const line = (level: string) => (facts: object, message: string) => {
			const { err, ...rest } = facts as { err?: unknown };
			const error = err instanceof Error ? { err: err.message } : {};
			this.history.note(level, { by: lifeOf(process, life), message, ...rest, ...error });
			// A run that breaks, or a rule that throws, is a defect whatever else went wrong.
			if (level === "error") this.violate("I5", `${message}: ${err instanceof Error ? err.stack : String(err)}`);
		};
		return { info: line("info"), warn: line("warn"), error: line("error") };
	}

	private perform(from: Process, life: number, command: string, args: readonly string[]) {
		const script = command === "EVALSHA" || command === "EVAL" ? scriptName(command, args[0] ?? "") : null;
		const sent = this.options.mutant?.script?.(script, command, args) ?? { command, args };
		let reply: ReturnType<SimulatedServer["execute"]> = null;
		try {
			reply = this.server.execute(sent.command, sent.args);
			return reply;
		} finally {
			const keys = Number(args[1]);
			const argv = script ? args.slice(2 + keys) : args;
			this.shadows.afterCommand(this.server.keyspace.takeDirty(), lifeOf(from, life), script ?? command, argv);
			if (reply !== null && script !== null && script === this.options.standstill?.script && !this.stoodStill) {
				this.stoodStill = true;
				this.world.freeze(from, this.options.standstill.forMs);
			}
			if (script !== null && ["COMMIT", "CLAIM", "START"].includes(script))
				this.noteScript(script, lifeOf(from, life), args, reply);
		}
	}

	private noteScript(script: string, by: string, args: readonly string[], reply: unknown): void {
		const [, , key = ""] = args;
		const answer = Array.isArray(reply) ? reply.slice(0, 3) : reply;
		if (script === "START" && Array.isArray(reply) && /created|superseded/.test(String(reply[0]))) {
			const scanId = String(reply[1]);
			if (!this.decidedMs.has(scanId)) this.decidedMs.set(scanId, this.world.now());
		}
		this.history.note(script.toLowerCase(), { by, key, answer });
	}

	private startClients(): void {
		const { world } = this;
		const deps = {
			world,
			api: (index: number) => this.processes.apis[index] ?? null,
			apis: this.processes.apis.length,
			onCrash: (process: Process, broken: () => void) => this.processes.onCrash(process, broken),
			observe: (observation: Observation) => {
				this.observations.push(observation);
				const { sentMs, receivedMs, client, body, ...facts } = observation;
				this.history.note("told", { by: client, sent_ms: Math.round(sentMs - START_MS), ...facts, ...brief(body) });
			},
			startsUntilMs: START_MS + STARTS_MS,
			cancels: this.plan.cancels,
			single: this.options.crash !== undefined,
			plain: this.isPlain(),
			retentionMs: this.plan.retentionMs,
		};
		if (!this.isPlain()) {
			cancelWithoutHolder(deps, this.shadows.scans, {
				change: (by) => {
					this.clientsLeft += by;
					return this.clientsLeft;
				},
			});
		}
		const users = this.options.crash ? USERS.slice(1) : USERS;
		users.forEach((user, u) => {
			for (let tab = 0; tab < (this.options.crash ? 1 : 2 - u); tab++) {
				const name = `user-${u}.${tab}`;
				this.clientsLeft += 1;
				runClient(deps, name, user, world.dice.fork(name)).finally(() => {
					this.clientsLeft -= 1;
				});
			}
		});
	}
}
