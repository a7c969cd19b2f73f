/** Sealing anew what users have stored, whatever it is. */

export interface RotationCounts {
	/** Sealed anew with the first key. */
	resealed: number;
	/** Sealed with the first key already. */
	current: number;
	/** No configured key opens them. */
	unreadable: number;
}

/** One kind of stored things of which each holds a sealed text. */
export interface SealedKind<T> {
	list(userId: string): Promise<T[]>;
	/** As it is stored now; null: it is gone. */
	again(userId: string, one: T): Promise<T | null>;
	isCurrent(one: T): boolean;
	/** The same thing sealed with the first key; null: no configured key opens it. */
	resealed(userId: string, one: T): T | null;
	/** changed: it is not there any more as `before` says. gone: its user is being deleted, and it with them. */
	replace(userId: string, before: T, after: T): Promise<"replaced" | "changed" | "gone">;
}

/** Repetitions for a thing that its owner changes meanwhile. */
const TURNS_MAX = 5;

/**
 * Seals everything of these users anew with the first key. It may run while the server does, may be ended at any
 * moment and begun again: what is done is found done. Things that are added meanwhile are sealed with the first key
 * by servers that have the same list.
 */
export async function resealAll<T>(users: AsyncIterable<string>, kind: SealedKind<T>): Promise<RotationCounts> {
	const counts: RotationCounts = { resealed: 0, current: 0, unreadable: 0 };
	for await (const userId of users)
		for (const one of await kind.list(userId)) counts[await resealOne(kind, userId, one)]++;
	return counts;
}

async function resealOne<T>(kind: SealedKind<T>, userId: string, one: T): Promise<keyof RotationCounts> {
	let before: T | null = one;
	for (let turn = 0; before !== null && turn < TURNS_MAX; turn++) {
		if (kind.isCurrent(before)) return "current";
		const after = kind.resealed(userId, before);
		if (after === null) return "unreadable";
		const answer = await kind.replace(userId, before, after);
		if (answer === "replaced") return "resealed";
		before = answer === "gone" ? null : await kind.again(userId, before);
	}
	// Deleted meanwhile, or changed again and again: nothing of it is left under an old key, or the next run finds it.
	return before === null ? "current" : "unreadable";
}
