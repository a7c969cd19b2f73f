import { createHash } from "node:crypto";

/** What happened, in order. The digest of a history tells whether two runs were the same to the byte. */
export interface HistoryEvent {
	at_ms: number;
	type: string;
	[fact: string]: unknown;
}

export interface History {
	note(type: string, facts: Record<string, unknown>): void;
	readonly events: readonly HistoryEvent[];
	digest(): string;
}

/** Moments are shown from the start of the simulation, in ms. */
export function createHistory(sinceStartMs: () => number): History {
	const events: HistoryEvent[] = [];
	const hash = createHash("sha256");
	let digest: string | null = null;
	return {
		events,
		note(type, facts) {
			const event = { at_ms: Math.round(sinceStartMs() * 1000) / 1000, type, ...facts };
			events.push(event);
			hash.update(`${JSON.stringify(event)}\n`);
		},
		digest() {
			digest ??= hash.digest("hex");
			return digest;
		},
	};
}

/** One line for a reader: `   1234.5 worker-1 commit {...}`. */
export function lineOf({ at_ms, type, ...facts }: HistoryEvent): string {
	const { by, ...rest } = facts as { by?: string };
	return `${at_ms.toFixed(1).padStart(10)} ${(by ?? "-").padEnd(10)} ${type} ${JSON.stringify(rest)}`;
}

/** Of an answer only what tells its kind, so that a trace stays readable. */
export function brief(body: unknown): Record<string, unknown> {
	if (typeof body !== "object" || body === null) return { body };
	const { state, revision, decision, scan_id, is_stuck } = body as Record<string, unknown>;
	return { state, revision, decision, told_id: scan_id, is_stuck };
}
