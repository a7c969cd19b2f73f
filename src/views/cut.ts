/** What stands in place of a member that was too large to show. */
export interface CutMark {
	cut: true;
	/** Size of the compact JSON that was left out, bytes. */
	bytes: number;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? "");

/**
 * The value with its largest members replaced by a mark until its JSON has at most `bytesMax` bytes, so that
 * what is small stays readable whatever lies beside it.
 */
export function cutToSize<T extends object>(value: T, bytesMax: number): T {
	let size = bytesOf(value);
	if (size <= bytesMax) return value;
	const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
	const members = Object.keys(copy)
		.map((key) => ({ key, bytes: bytesOf(copy[key]) }))
		.sort((a, b) => b.bytes - a.bytes);
	for (const { key, bytes } of members) {
		if (size <= bytesMax) break;
		copy[key] = { cut: true, bytes } satisfies CutMark;
		size -= bytes - bytesOf(copy[key]);
	}
	return copy as T;
}
