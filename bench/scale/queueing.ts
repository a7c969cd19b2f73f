/** Closed forms of queues with Poisson arrivals and exponential service, to check the simulation and to size stations. */

/** What a station of `servers` equal servers with one queue does in the long run. */
export interface Queue {
	/** Part of the time in which a server is busy; 1 and above: the queue grows for ever. */
	utilisation: number;
	/** Probability that who comes has to wait. */
	waits: number;
	/** Mean time in the queue, ms. */
	wait_ms: number;
	/** Mean time in queue and service, ms. */
	response_ms: number;
}

/** Erlang's B formula by its recursion: probability that all of `servers` are busy where nobody waits. */
export function erlangB(servers: number, offered: number): number {
	let blocked = 1;
	for (let k = 1; k <= servers; k++) blocked = (offered * blocked) / (k + offered * blocked);
	return blocked;
}

/** M/M/c (Erlang's C formula). @param per_s arrivals a second. @param service_ms mean service. */
export function mmc(per_s: number, service_ms: number, servers: number): Queue {
	const offered = (per_s * service_ms) / 1_000;
	const utilisation = offered / servers;
	if (utilisation >= 1)
		return { utilisation, waits: 1, wait_ms: Number.POSITIVE_INFINITY, response_ms: Number.POSITIVE_INFINITY };
	const blocked = erlangB(servers, offered);
	const waits = blocked / (1 - utilisation * (1 - blocked));
	const wait_ms = (waits * service_ms) / (servers * (1 - utilisation));
	return { utilisation, waits, wait_ms, response_ms: wait_ms + service_ms };
}

/** Time in queue and service that a share of the arrivals of an M/M/1 station does not exceed, ms. */
export const mm1Quantile = (per_s: number, service_ms: number, share: number): number =>
	(-Math.log(1 - share) * service_ms) / (1 - (per_s * service_ms) / 1_000);

/**
 * Mean wait in an M/G/1 station (Pollaczek and Khinchine), ms.
 *
 * @param variation coefficient of variation of the service: 0 fixed, 1 exponential
 */
export function mg1WaitMs(per_s: number, service_ms: number, variation: number): number {
	const utilisation = (per_s * service_ms) / 1_000;
	if (utilisation >= 1) return Number.POSITIVE_INFINITY;
	return (utilisation * service_ms * (1 + variation ** 2)) / (2 * (1 - utilisation));
}
