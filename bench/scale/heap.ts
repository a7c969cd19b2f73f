/** What happens next: a binary heap by time; at the same time, what was planned first. */
export class Agenda {
	readonly #items: { at_ms: number; order: number; act: () => void }[] = [];
	#order = 0;

	plan(at_ms: number, act: () => void): void {
		const items = this.#items;
		const item = { at_ms, order: this.#order++, act };
		let place = items.length;
		items.push(item);
		while (place > 0) {
			const parent = (place - 1) >> 1;
			const above = items[parent];
			if (above === undefined || before(above, item)) break;
			items[place] = above;
			place = parent;
		}
		items[place] = item;
	}

	/** Takes the earliest; undefined when nothing is planned. */
	next(): { at_ms: number; act: () => void } | undefined {
		const items = this.#items;
		const first = items[0];
		const last = items.pop();
		if (first === undefined || last === undefined || items.length === 0) return first;
		let place = 0;
		for (;;) {
			const left = 2 * place + 1;
			const [a, b] = [items[left], items[left + 1]];
			if (a === undefined) break;
			const child = b !== undefined && before(b, a) ? left + 1 : left;
			const least = items[child] as typeof a;
			if (before(last, least)) break;
			items[place] = least;
			place = child;
		}
		items[place] = last;
		return first;
	}
}

const before = (a: { at_ms: number; order: number }, b: { at_ms: number; order: number }): boolean =>
	a.at_ms < b.at_ms || (a.at_ms === b.at_ms && a.order < b.order);
