import { createDraws, type Draws } from "../../src/market/simulated-random.ts";
import { quantile } from "../orchestration/table.ts";
import { Agenda } from "./heap.ts";

/**
 * A discrete-event simulation of scans on stations: event loops, evaluation threads, a Redis server. Everything is
 * drawn from a seed, no clock is read; the same work gives the same answer.
 */
export interface Station {
	/** Cores, threads or servers. */
	servers: number;
	/** A job stays with the server that it first came to, the one with the fewest jobs: a scan with its worker. */
	pinned?: boolean;
}

/** How times scatter around their mean: exponentially, not at all, or as measured (their mean does not matter). */
export type Spread = "exponential" | "fixed" | readonly number[];

export interface Visit {
	/** Name of a station; null: time that passes without anybody's work, as a message on its way. */
	at: string | null;
	/** Of one task. */
	mean_ms: number;
	spread: Spread;
	/** Tasks that are begun at once and awaited together; one without it. */
	tasks?: number;
}

export interface Work {
	stations: Readonly<Record<string, Station>>;
	/** What each job does, in order. */
	visits: readonly Visit[];
	/** Open: Poisson, so many a second, whatever becomes of them. Closed: so many clients, each again when it is done. */
	arrivals: { kind: "open"; per_s: number } | { kind: "closed"; clients: number };
	/** Jobs at once in the whole; others wait before their first visit. */
	places?: number;
	/** Jobs that count, after those that fill the system. */
	jobs: number;
	warm_up: number;
	seed: number;
}

export interface Outcome {
	per_s: number;
	mean_ms: number;
	p50_ms: number;
	p99_ms: number;
	/** Busy part of each station's servers. */
	utilisation: Record<string, number>;
	/** Mean wait of a task at each station, ms. */
	wait_ms: Record<string, number>;
}

interface Task {
	at_ms: number;
	service_ms: number;
	done: () => void;
}

/** Servers that share one queue. */
class Line {
	readonly #agenda: Agenda;
	#free: number;
	#waiting: Task[] = [];
	#first = 0;
	busy_ms = 0;
	waited_ms = 0;
	tasks = 0;
	/** Jobs that chose this line and have not left. */
	jobs = 0;

	constructor(agenda: Agenda, servers: number) {
		this.#agenda = agenda;
		this.#free = servers;
	}

	take(task: Task): void {
		if (this.#free === 0) {
			this.#waiting.push(task);
			return;
		}
		this.#free -= 1;
		this.#serve(task, task.at_ms);
	}

	#serve(task: Task, now: number): void {
		this.busy_ms += task.service_ms;
		this.waited_ms += now - task.at_ms;
		this.tasks += 1;
		this.#agenda.plan(now + task.service_ms, () => {
			const next = this.#waiting[this.#first];
			if (next === undefined) this.#free += 1;
			else {
				this.#first += 1;
				if (this.#first > 1_000) {
					this.#waiting = this.#waiting.slice(this.#first);
					this.#first = 0;
				}
				this.#serve(next, now + task.service_ms);
			}
			task.done();
		});
	}
}

interface Job {
	came_ms: number;
	visit: number;
	lines: Map<string, Line>;
}

const sampler = (draws: Draws, { mean_ms, spread }: Visit): (() => number) => {
	if (spread === "fixed") return () => mean_ms;
	if (spread === "exponential") return () => -Math.log(draws.uniform()) * mean_ms;
	const mean = spread.reduce((sum, value) => sum + value, 0) / spread.length;
	return () => ((spread[Math.floor(draws.uniform() * spread.length)] ?? mean) / mean) * mean_ms;
};

export function simulate(work: Work): Outcome {
	const { stations, visits, arrivals, places = Number.POSITIVE_INFINITY, jobs, warm_up } = work;
	const agenda = new Agenda();
	const draws = createDraws(work.seed);
	const samples = visits.map((visit) => sampler(draws, visit));
	const lines = new Map(
		Object.entries(stations).map(([name, { servers, pinned }]) => [
			name,
			Array.from({ length: pinned ? servers : 1 }, () => new Line(agenda, pinned ? 1 : servers)),
		]),
	);
	const responses: number[] = [];
	const outside: Job[] = [];
	let [now, inside, ended, fromMs] = [0, 0, 0, 0];

	const lineOf = (job: Job, name: string): Line => {
		const held = job.lines.get(name);
		if (held) return held;
		const all = lines.get(name) ?? [];
		const line = all.reduce((least, one) => (one.jobs < least.jobs ? one : least), all[0] as Line);
		line.jobs += 1;
		job.lines.set(name, line);
		return line;
	};

	function go(job: Job): void {
		const visit = visits[job.visit];
		if (visit === undefined) {
			leave(job);
			return;
		}
		const draw = samples[job.visit] as () => number;
		let open = visit.tasks ?? 1;
		const done = () => {
			open -= 1;
			if (open > 0) return;
			job.visit += 1;
			go(job);
		};
		for (let task = visit.tasks ?? 1; task > 0; task--) {
			const service_ms = draw();
			if (visit.at === null) agenda.plan(now + service_ms, done);
			else lineOf(job, visit.at).take({ at_ms: now, service_ms, done });
		}
	}

	function leave(job: Job): void {
		ended += 1;
		for (const line of job.lines.values()) line.jobs -= 1;
		if (ended > warm_up) responses.push(now - job.came_ms);
		if (ended === warm_up) begin();
		inside -= 1;
		const next = outside.shift();
		if (next) enter(next);
		if (arrivals.kind === "closed") come();
	}

	/** From here on it counts. */
	function begin(): void {
		fromMs = now;
		for (const line of [...lines.values()].flat()) [line.busy_ms, line.waited_ms, line.tasks] = [0, 0, 0];
	}

	function enter(job: Job): void {
		inside += 1;
		go(job);
	}

	function come(): void {
		const job: Job = { came_ms: now, visit: 0, lines: new Map() };
		if (inside < places) enter(job);
		else outside.push(job);
	}

	if (arrivals.kind === "closed") for (let client = 0; client < arrivals.clients; client++) agenda.plan(0, come);
	else {
		const arrive = () => {
			come();
			agenda.plan(now - (Math.log(draws.uniform()) * 1_000) / arrivals.per_s, arrive);
		};
		agenda.plan(0, arrive);
	}
	while (ended < warm_up + jobs) {
		const event = agenda.next();
		if (event === undefined) throw new Error("nothing is left to happen");
		now = event.at_ms;
		event.act();
	}

	return outcomeOf(work, responses, lines, now - fromMs);
}

function outcomeOf(
	{ stations }: Work,
	responses: readonly number[],
	lines: ReadonlyMap<string, readonly Line[]>,
	span: number,
): Outcome {
	const sum = (all: readonly Line[], pick: (line: Line) => number) =>
		all.reduce((total, line) => total + pick(line), 0);
	const ofStations = (pick: (all: readonly Line[], servers: number) => number): Record<string, number> =>
		Object.fromEntries([...lines].map(([name, all]) => [name, pick(all, stations[name]?.servers ?? 1)]));
	return {
		per_s: (responses.length * 1_000) / span,
		mean_ms: responses.reduce((total, value) => total + value, 0) / responses.length,
		p50_ms: quantile(responses, 0.5),
		p99_ms: quantile(responses, 0.99),
		utilisation: ofStations((all, servers) => sum(all, (line) => line.busy_ms) / (servers * span)),
		wait_ms: ofStations(
			(all) =>
				sum(all, (line) => line.waited_ms) /
				Math.max(
					1,
					sum(all, (line) => line.tasks),
				),
		),
	};
}
