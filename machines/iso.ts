/**
 * Few moments are told many times over: in every entry, step and phase of the commits of one turn. Each has one place
 * where it is looked for, and the next that has the same takes it.
 */
const PLACES = 64;
const told = Array.from({ length: PLACES }, () => ({ ms: Number.NaN, text: "" }));

/** Epoch ms as ISO 8601 in UTC. */
export function isoOf(ms: number): string {
	const moment = told[ms % PLACES];
	if (moment?.ms === ms) return moment.text;
	const text = new Date(ms).toISOString();
	if (moment) {
		moment.ms = ms;
		moment.text = text;
	}
	return text;
}
