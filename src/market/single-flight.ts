import { onAbort } from "./abortable.ts";

interface Flight {
	work: Promise<unknown>;
	controller: AbortController;
	waiters: number;
}

/**
 * Concurrent askers of one key share one piece of work. An asker that aborts leaves at once and the
 * others keep waiting; when the last one has left, the work itself is aborted.
 */
export class SingleFlight {
	#flights = new Map<string, Flight>();

	get size(): number {
		return this.#flights.size;
	}

	/** `joined` tells the caller whether the work was already under way. */
	run<T>(
		key: string,
		signal: AbortSignal,
		start: (signal: AbortSignal) => Promise<T>,
	): { result: Promise<T>; joined: boolean } {
		if (signal.aborted) return { result: Promise.reject(signal.reason), joined: false };
		const present = this.#flights.get(key);
		const flight = present ?? this.#start(key, start);
		return { result: this.#wait<T>(key, flight, signal), joined: present !== undefined };
	}

	/** Aborts whatever is under way. */
	abortAll(reason: unknown): void {
		for (const flight of this.#flights.values()) flight.controller.abort(reason);
		this.#flights.clear();
	}

	#start(key: string, start: (signal: AbortSignal) => Promise<unknown>): Flight {
		const controller = new AbortController();
		const flight: Flight = { work: start(controller.signal), controller, waiters: 0 };
		this.#flights.set(key, flight);
		const land = () => {
			if (this.#flights.get(key) === flight) this.#flights.delete(key);
		};
		flight.work.then(land, land);
		return flight;
	}

	#wait<T>(key: string, flight: Flight, signal: AbortSignal): Promise<T> {
		flight.waiters++;
		return new Promise((resolve, reject) => {
			const forget = onAbort(signal, () => {
				reject(signal.reason);
				if (--flight.waiters > 0) return;
				// Gone from the map before the abort, so that whoever asks next starts anew.
				if (this.#flights.get(key) === flight) this.#flights.delete(key);
				flight.controller.abort(signal.reason);
			});
			(flight.work as Promise<T>).then(resolve, reject).finally(forget);
		});
	}
}
