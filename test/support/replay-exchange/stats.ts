/** Requests remembered one by one; the counts go on. */
export const LOG_MAX = 2000;

export interface LoggedRequest {
	at_ms: number;
	endpoint: string;
	query: string;
	address: string;
	status: number;
	weight: number;
}

export interface EndpointCount {
	requests: number;
	weight: number;
	/** Answers by status; 0: none was sent (hang, reset, or cut by who asked). */
	statuses: Record<string, number>;
}

export interface ReplayStats {
	requests: number;
	/** Weight that was granted, all addresses and budgets together. */
	weight: number;
	by_endpoint: Record<string, EndpointCount>;
	/** The newest requests, oldest first. */
	log: LoggedRequest[];
}

export interface StatsKeeper {
	note(request: LoggedRequest): void;
	read(): ReplayStats;
	reset(): void;
	/** Resolves at the next request of the endpoint, e.g. `spot/klines`. */
	arrival(endpoint: string): Promise<void>;
}

export function createStats(): StatsKeeper {
	let stats: ReplayStats;
	const waiting = new Map<string, (() => void)[]>();
	const reset = () => {
		stats = { requests: 0, weight: 0, by_endpoint: {}, log: [] };
	};
	reset();
	return {
		reset,
		read: () => structuredClone(stats),
		note(request) {
			const count = stats.by_endpoint[request.endpoint] ?? { requests: 0, weight: 0, statuses: {} };
			stats.by_endpoint[request.endpoint] = count;
			for (const total of [stats, count]) {
				total.requests += 1;
				total.weight += request.weight;
			}
			count.statuses[request.status] = (count.statuses[request.status] ?? 0) + 1;
			stats.log.push(request);
			if (stats.log.length > LOG_MAX) stats.log.shift();
			for (const arrived of waiting.get(request.endpoint) ?? []) arrived();
			waiting.delete(request.endpoint);
		},
		arrival: (endpoint) =>
			new Promise((resolve) => {
				waiting.set(endpoint, [...(waiting.get(endpoint) ?? []), resolve]);
			}),
	};
}
