/** Few moments are told many times over: in every entry, step and phase of a commit. */
const told = Array.from({ length: 4 }, () => ({ ms: Number.NaN, text: "" }));
let oldest = 0;

/** Epoch ms as ISO 8601 in UTC. */
export function isoOf(ms: number): string {
	for (const moment of told) if (moment.ms === ms) return moment.text;
	const text = new Date(ms).toISOString();
	told[oldest] = { ms, text };
	oldest = (oldest + 1) % told.length;
	return text;
}
