import { useEffect, useState } from "./html.ts";

/** What a page shows of something it reads. */
export interface Loaded<T> {
	value: T | null;
	error: Error | null;
	loading: boolean;
	/** Reads again; what is shown stays until the answer is there. */
	reload(): void;
}

/** Reads on mount and whenever `key` changes; a read that was overtaken is dropped. */
export function useLoad<T>(key: string, read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
	const [state, setState] = useState<{ value: T | null; error: Error | null; loading: boolean }>({
		value: null,
		error: null,
		loading: true,
	});
	const [round, setRound] = useState(0);
	useEffect(() => {
		const abort = new AbortController();
		setState((before) => ({ ...before, loading: true }));
		read(abort.signal).then(
			(value) => !abort.signal.aborted && setState({ value, error: null, loading: false }),
			(error: Error) => !abort.signal.aborted && setState((before) => ({ ...before, error, loading: false })),
		);
		return () => abort.abort();
	}, [key, round]);
	return { ...state, reload: () => setRound((n) => n + 1) };
}

/** Calls `tick` every `everyMs` while the page is shown and the tab is visible. */
export function useInterval(everyMs: number, tick: () => void): void {
	useEffect(() => {
		const timer = setInterval(() => document.visibilityState === "visible" && tick(), everyMs);
		return () => clearInterval(timer);
	}, [everyMs]);
}
