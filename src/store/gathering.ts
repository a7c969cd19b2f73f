/**
 * Does the same small thing for many: what is asked for while one round is under way is done by the next, in one command
 * for all; a lone one waits for nothing.
 */
export type Gathering<T> = (item: T) => Promise<void>;

interface Waiting<T> {
	item: T;
	done: () => void;
	broken: (error: unknown) => void;
}

/**
 * @param act does it for at most `max` items, in the order in which they came
 * @returns resolves when it is done for the item; rejects when the round it was in has failed
 */
export function gathering<T>(max: number, act: (items: T[]) => Promise<unknown>): Gathering<T> {
	const waiting: Waiting<T>[] = [];
	let busy = false;
	async function rounds(): Promise<void> {
		if (busy) return;
		busy = true;
		while (waiting.length > 0) {
			const round = waiting.splice(0, max);
			try {
				await act(round.map(({ item }) => item));
				for (const { done } of round) done();
			} catch (error) {
				for (const { broken } of round) broken(error);
			}
		}
		busy = false;
	}
	return (item) =>
		new Promise((done, broken) => {
			waiting.push({ item, done, broken });
			void rounds();
		});
}
