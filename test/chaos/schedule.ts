import { createDraws, hashKey } from "../../src/market/simulated-random.ts";

/** What is done to the cluster and when: a function of the seed alone, so that a run can be repeated. */
export interface Fault {
	at_ms: number;
	kind: FaultKind;
	/** Index among the processes of its sort; 0 for Redis. */
	target: number;
	/** How long it lasts; 0: it is over at once. */
	for_ms: number;
}

/** How often each fault comes in one round of the deck, and how long it lasts, ms. */
const DECK = {
	worker_kill: { times: 3, for_ms: [300, 2_500] },
	worker_freeze: { times: 2, for_ms: [1_500, 5_000] },
	worker_term: { times: 1, for_ms: [200, 1_500] },
	api_kill: { times: 1, for_ms: [100, 1_500] },
	api_term: { times: 1, for_ms: [100, 1_500] },
	redis_kill: { times: 2, for_ms: [100, 3_000] },
	redis_freeze: { times: 1, for_ms: [300, 3_000] },
	clients_kill: { times: 2, for_ms: [0, 0] },
	scripts_flush: { times: 1, for_ms: [0, 0] },
	link_delay: { times: 2, for_ms: [1_000, 4_000] },
	link_cut: { times: 2, for_ms: [300, 4_000] },
	link_half_open: { times: 2, for_ms: [500, 5_000] },
	link_lose_replies: { times: 2, for_ms: [300, 2_000] },
} as const satisfies Record<string, { times: number; for_ms: readonly [number, number] }>;

export type FaultKind = keyof typeof DECK;

export interface Sizes {
	apis: number;
	workers: number;
}

/** How far apart faults come on average, ms. */
export const GAP_MS = 1_200;

export function makeSchedule(seed: number, seconds: number, sizes: Sizes, gapMs = GAP_MS): Fault[] {
	const draws = createDraws(hashKey(seed, "chaos schedule"));
	const between = ([from, to]: readonly [number, number]) => Math.round(from + draws.uniform() * (to - from));
	const below = (count: number) => Math.floor(draws.uniform() * count);
	const faults: Fault[] = [];
	let deck: FaultKind[] = [];
	const gap = (): number => between([gapMs / 3, (5 * gapMs) / 3]);
	for (let at_ms = gap(); at_ms < seconds * 1000; at_ms += gap()) {
		if (deck.length === 0) {
			deck = Object.entries(DECK).flatMap(([kind, { times }]) => Array<FaultKind>(times).fill(kind as FaultKind));
		}
		const [kind] = deck.splice(below(deck.length), 1);
		if (!kind) break;
		const targets = kind.startsWith("worker")
			? sizes.workers
			: kind.startsWith("api")
				? sizes.apis
				: kind.startsWith("link")
					? sizes.workers + sizes.apis
					: 1;
		faults.push({ at_ms, kind, target: below(targets), for_ms: between(DECK[kind].for_ms) });
	}
	return faults;
}

export const describeFault = ({ at_ms, kind, target, for_ms }: Fault): string =>
	`${(at_ms / 1000).toFixed(2).padStart(7)} s  ${kind}${kind.startsWith("redis") ? "" : ` ${target}`}${for_ms > 0 ? ` for ${for_ms} ms` : ""}`;
