import { setTimeout as pause } from "node:timers/promises";
import type { Cluster, Member } from "./cluster.ts";
import type { Span } from "./observations.ts";
import { describeFault, type Fault, type FaultKind } from "./schedule.ts";

/** Carries a schedule out against a cluster and notes what it did. */
export interface Nemesis {
	/** Resolves when the schedule is through and everything it broke is mended. */
	done: Promise<void>;
	readonly outages: Span[];
	readonly struck: Map<FaultKind, number>;
}

const LINK_DELAY_MS = 120;
/** How long after a process ended by itself, or did not come up, it is started again. */
const RESTART_MS = 500;

export function startNemesis(cluster: Cluster, schedule: readonly Fault[], say: (line: string) => void): Nemesis {
	const outages: Nemesis["outages"] = [];
	const struck: Nemesis["struck"] = new Map();
	const busy = new Set<unknown>();
	const members = [...cluster.apis, ...cluster.workers];

	/** One disturbance at a time of each thing, and never of the last API process. */
	const free = (thing: unknown, kind: FaultKind): boolean =>
		!busy.has(thing) && !(kind.startsWith("api") && cluster.apis.some((member) => busy.has(member)));

	async function strike(fault: Fault): Promise<void> {
		const thing = targetOf(cluster, members, fault);
		if (!free(thing, fault.kind)) return say(`${describeFault(fault)}: left out, still disturbed`);
		busy.add(thing);
		say(describeFault(fault));
		struck.set(fault.kind, (struck.get(fault.kind) ?? 0) + 1);
		try {
			await carryOut(cluster, members, fault, outages);
		} finally {
			busy.delete(thing);
		}
	}
	const beganAt = performance.now();
	const done = (async () => {
		const running: Promise<void>[] = [];
		for (const fault of schedule) {
			await pause(Math.max(0, fault.at_ms - (performance.now() - beganAt)));
			running.push(strike(fault));
		}
		await Promise.all(running);
	})();
	return { done, outages, struck };
}

function targetOf(cluster: Cluster, members: readonly Member[], { kind, target }: Fault): unknown {
	if (kind.startsWith("worker")) return cluster.workers[target];
	if (kind.startsWith("api")) return cluster.apis[target];
	if (kind.startsWith("link")) return members[target]?.link;
	return cluster.redis;
}

async function carryOut(
	cluster: Cluster,
	members: readonly Member[],
	{ kind, target, for_ms }: Fault,
	outages: Nemesis["outages"],
): Promise<void> {
	const { redis } = cluster;
	const outage = async (begin: () => Promise<void>, end: () => Promise<void>) => {
		const span: Span = [Date.now(), Number.POSITIVE_INFINITY];
		outages.push(span);
		await begin();
		await pause(for_ms);
		await end();
		span[1] = Date.now();
	};
	switch (kind) {
		case "worker_kill":
			return restart(cluster, cluster.workers[target], "SIGKILL", for_ms);
		case "worker_term":
			return restart(cluster, cluster.workers[target], "SIGTERM", for_ms);
		case "api_kill":
			return restart(cluster, cluster.apis[target], "SIGKILL", for_ms);
		case "api_term":
			return restart(cluster, cluster.apis[target], "SIGTERM", for_ms);
		case "worker_freeze": {
			const program = cluster.workers[target]?.program;
			program?.kill("SIGSTOP");
			await pause(for_ms);
			program?.kill("SIGCONT");
			return;
		}
		case "redis_kill":
			return outage(redis.kill, redis.start);
		case "redis_freeze":
			return outage(
				async () => redis.signal("SIGSTOP"),
				async () => redis.signal("SIGCONT"),
			);
		case "clients_kill":
			await redis.admin.call("CLIENT", "KILL", "TYPE", "pubsub").catch(() => undefined);
			await redis.admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").catch(() => undefined);
			return;
		case "scripts_flush":
			await redis.admin.script("FLUSH").catch(() => undefined);
			return;
		default: {
			const link = members[target]?.link;
			link?.set(kind === "link_delay" ? { kind: "delay", delayMs: LINK_DELAY_MS } : { kind: LINK_MODES[kind] });
			await pause(for_ms);
			link?.set({ kind: "pass" });
		}
	}
}

const LINK_MODES = { link_cut: "cut", link_half_open: "half_open", link_lose_replies: "lose_replies" } as const;

async function restart(
	cluster: Cluster,
	member: Member | undefined,
	signal: NodeJS.Signals,
	downMs: number,
): Promise<void> {
	if (!member?.program) return;
	const { program } = member;
	member.program = null;
	program.kill(signal);
	await program.ended().catch(() => program.kill("SIGKILL"));
	await pause(downMs);
	while (!(await cluster.start(member))) await pause(RESTART_MS);
}
