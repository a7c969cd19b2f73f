import { createSlots } from "../slots.ts";

/**
 * Reads of many things of one kind, `atOnce` at a time: what each brought, null for those that failed. Rejects with the
 * first failure when most of them fail: what is left would say of nearly every one that it has none.
 */
export async function readEach<Item, T>(
	items: readonly Item[],
	atOnce: number,
	read: (item: Item) => Promise<T>,
): Promise<(T | null)[]> {
	const slots = createSlots(atOnce, Math.max(1, items.length), () => new Error("more reads than items"));
	const never = new AbortController().signal;
	const settled = await Promise.allSettled(items.map((item) => slots.run(never, () => read(item))));
	const failed = settled.filter((result) => result.status === "rejected");
	if (failed.length > items.length / 2) throw failed[0]?.reason;
	return settled.map((result) => (result.status === "fulfilled" ? result.value : null));
}
