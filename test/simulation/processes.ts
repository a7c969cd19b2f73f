import type { ApiProcess } from "./cluster.ts";
import type { FaultPlan } from "./faults.ts";
import type { History } from "./history.ts";
import { lifeOf } from "./shadow.ts";
import type { Process, World } from "./world.ts";

/** The processes of a simulation: they start, die, come back, stand still, and are cut off from the store. */
const APIS = 2;
const WORKERS = 3;

interface ProcessesDeps {
	world: World;
	plan: FaultPlan;
	history: History;
	/** True once nothing goes wrong any more. */
	healed(): boolean;
	/** Resolves when the process works; an API process answers with what serves requests. */
	boot(process: Process, isApi: boolean): Promise<ApiProcess | null>;
}

export class Processes {
	readonly apis: (ApiProcess | null)[] = Array.from({ length: APIS }, () => null);
	private readonly deps: ProcessesDeps;
	private readonly all: Process[] = [];
	private readonly subscriptions = new Map<Process, { life: number; deliver: (c: string, m: string) => void }>();
	private readonly crashListeners = new Map<Process, Set<() => void>>();
	private readonly cutOff = new Map<Process, number>();

	constructor(deps: ProcessesDeps) {
		this.deps = deps;
	}

	start(): void {
		const { world } = this.deps;
		for (let i = 0; i < APIS; i++) this.boot(world.process(`api-${i}`));
		for (let i = 0; i < WORKERS; i++) this.boot(world.process(`worker-${i}`));
		this.scheduleTrouble();
	}

	isCutOff(process: Process): boolean {
		return (this.cutOff.get(process) ?? 0) > this.deps.world.now();
	}

	subscribe(process: Process, deliver: (channel: string, message: string) => void): void {
		this.subscriptions.set(process, { life: process.life, deliver });
	}

	/** Calls back when the process dies; returns what takes the call-back away. */
	onCrash(process: Process, broken: () => void): () => void {
		const held = this.crashListeners.get(process) ?? new Set();
		this.crashListeners.set(process, held);
		held.add(broken);
		return () => held.delete(broken);
	}

	publish(channel: string, message: string): void {
		const { world, plan, healed } = this.deps;
		const odds = healed() ? { lost: 0, twice: 0 } : plan.news;
		for (const [process, { life, deliver }] of this.subscriptions) {
			if (process.life !== life || !process.alive) continue;
			const cut = this.isCutOff(process);
			const times = cut || world.dice.chance(odds.lost) ? 0 : world.dice.chance(odds.twice) ? 2 : 1;
			for (let i = 0; i < times; i++)
				world.after(world.dice.between(0.05, 5), process, () => deliver(channel, message));
		}
	}

	private boot(process: Process): void {
		const { world, plan, history } = this.deps;
		if (!this.all.includes(process)) this.all.push(process);
		const dice = world.dice.fork(`${process.name}.${process.life}.clock`);
		process.skewMs = Math.round(dice.between(-1, 1) * plan.skewMs);
		process.rate = 1 + dice.between(-2e-4, 2e-4);
		const { life } = process;
		const index = process.name.startsWith("api") ? Number(process.name.split("-")[1]) : null;
		const failed = (error: unknown) => {
			history.note("boot_failed", { by: lifeOf(process, life), error: String(error) });
			this.crash(process, 300);
		};
		world.after(0, process, () => {
			this.deps.boot(process, index !== null).then((api) => {
				if (index !== null && process.life === life) this.apis[index] = api;
				history.note("up", { by: lifeOf(process, life) });
			}, failed);
		});
	}

	/** The process dies here and now; its supervisor starts it again. */
	crash(process: Process, downMs: number): void {
		if (!process.alive) return;
		const { world, history } = this.deps;
		history.note("crash", { by: lifeOf(process), down_ms: Math.round(downMs) });
		world.crash(process);
		const index = this.apis.findIndex((api) => api?.process === process);
		if (index >= 0) this.apis[index] = null;
		for (const broken of [...(this.crashListeners.get(process) ?? [])]) broken();
		this.crashListeners.delete(process);
		world.after(downMs, null, () => {
			world.restart(process);
			this.boot(process);
		});
	}

	/** Crashes, freezes and partitions at moments that the seed picks, all over by `healAtMs`. */
	private scheduleTrouble(): void {
		const { world, plan, history } = this.deps;
		const processes = this.all;
		const dice = world.dice.fork("trouble");
		const times = (count: number, most: number, act: (process: Process, forMs: number) => void) => {
			for (let i = 0; i < count; i++) {
				const forMs = dice.between(50, most);
				const process = dice.chance(0.75) ? dice.pick(processes.slice(APIS)) : dice.pick(processes);
				const latest = Math.max(500, plan.healAtMs - forMs);
				world.after(dice.between(300, latest), null, () => act(process, forMs));
			}
		};
		times(plan.crashes, 5_000, (process, forMs) => this.crash(process, forMs));
		times(plan.freezes, 15_000, (process, forMs) => {
			if (!process.alive) return;
			history.note("freeze", { by: lifeOf(process), for_ms: Math.round(forMs) });
			world.freeze(process, forMs);
		});
		times(plan.partitions, 12_000, (process, forMs) => {
			history.note("partition", { by: lifeOf(process), for_ms: Math.round(forMs) });
			this.cutOff.set(process, world.now() + forMs);
		});
	}
}
