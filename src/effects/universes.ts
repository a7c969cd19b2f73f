import { canonicalJson, sha256Hex } from "../canonical.ts";
import type { Universe } from "../market/contract.ts";
import type { EffectDeps } from "./ports.ts";
import { effectSettings } from "./ports.ts";
import { untilAborted } from "./waiting.ts";

/** Content hash that names a universe: SHA-256 of its canonical JSON. */
export const universeHash = (universe: Universe): string => sha256Hex(canonicalJson(universe));

export interface LoadedUniverse {
	/** Hash of what was loaded; differs from the asked one only when the source has changed its past. */
	ref: string;
	universe: Universe;
}

/** The instant that a scan is pinned to, on the source's clock, and when the scan began, on the process's. */
export interface Instant {
	asOfMs: number;
	begunMs: number;
}

export interface Universes {
	/** Asks the source; stores nothing. */
	discover(at: Instant, signal: AbortSignal): Promise<Universe>;
	/** Stores the universe durably and remembers it; resolves to its hash. */
	save(universe: Universe): Promise<string>;
	/** From memory, else from the store, else discovered again at the pinned instant. */
	load(ref: string, at: Instant, signal: AbortSignal): Promise<LoadedUniverse>;
}

/** A load that several strategies wait for; it runs until the last of them has gone. */
interface Flight {
	result: Promise<LoadedUniverse>;
	controller: AbortController;
	waiters: number;
}

/**
 * Universes of the scans of this process: the store behind a least-recently-used memory of
 * `universes_max` entries. Simultaneous loads of one universe share one read.
 */
export function createUniverses(
	deps: Pick<EffectDeps, "market" | "discover" | "universes" | "clock" | "settings">,
): Universes {
	const settings = effectSettings(deps);
	const memory = new Map<string, LoadedUniverse>();
	const flights = new Map<string, Flight>();

	const remember = (ref: string, loaded: LoadedUniverse): LoadedUniverse => {
		memory.delete(ref);
		memory.set(ref, loaded);
		const [oldest] = memory.keys();
		if (memory.size > settings.universes_max && oldest !== undefined) memory.delete(oldest);
		return loaded;
	};

	const discover: Universes["discover"] = (at, signal) =>
		deps.discover(deps.market, { signal, ...at, perSourceTimeoutMs: settings.source_timeout_ms, clock: deps.clock });

	const save: Universes["save"] = async (universe) => {
		const ref = universeHash(universe);
		await deps.universes.put(ref, universe);
		remember(ref, { ref, universe });
		return ref;
	};

	const read = async (ref: string, at: Instant, signal: AbortSignal): Promise<LoadedUniverse> => {
		const stored = await deps.universes.get(ref);
		if (stored) return { ref, universe: stored };
		signal.throwIfAborted();
		const universe = await discover(at, signal);
		return { ref: await save(universe), universe };
	};

	const load: Universes["load"] = async (ref, at, signal) => {
		const known = memory.get(ref);
		if (known) return remember(ref, known);
		const flight = flights.get(ref) ?? takeOff(flights, ref, (shared) => read(ref, at, shared));
		flight.waiters += 1;
		try {
			return remember(ref, await untilAborted(flight.result, signal));
		} finally {
			flight.waiters -= 1;
			if (flight.waiters === 0) {
				flight.controller.abort();
				if (flights.get(ref) === flight) flights.delete(ref);
			}
		}
	};

	return { discover, save, load };
}

function takeOff(
	flights: Map<string, Flight>,
	ref: string,
	read: (signal: AbortSignal) => Promise<LoadedUniverse>,
): Flight {
	const controller = new AbortController();
	const flight: Flight = { result: read(controller.signal), controller, waiters: 0 };
	flights.set(ref, flight);
	return flight;
}
