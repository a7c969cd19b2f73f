/** The thread's side of the gate: asked by message. */
import { abortable } from "./abortable.ts";
import type { SourceCall, SourceGate, SourceOutcome } from "./gate.ts";
import type { PlainError } from "./plain-error.ts";

/** What a thread says to the gate in the program, and the gate's answer to `take`. */
export type AskGate =
	| { kind: "take"; id: number; call: Omit<SourceCall, "signal"> }
	| { kind: "untake"; id: number }
	| { kind: "report"; call: Pick<SourceCall, "source" | "endpoint">; outcome: SourceOutcome };
export type TellGate = { kind: "taken"; id: number; error: PlainError | null };

export interface ThreadGate extends Pick<SourceGate, "take" | "report"> {
	receive(message: TellGate): void;
}

/** `errorOf`: what a refusal is for those who asked. */
export function createThreadGate(send: (message: AskGate) => void, errorOf: (error: PlainError) => Error): ThreadGate {
	const takes = new Map<number, (error: PlainError | null) => void>();
	let made = 0;
	return {
		async take({ signal, ...call }) {
			const id = ++made;
			const taken = new Promise<void>((resolve, reject) => {
				takes.set(id, (error) => (error === null ? resolve() : reject(errorOf(error))));
			});
			send({ kind: "take", id, call });
			try {
				await abortable(taken, signal);
			} catch (error) {
				if (takes.has(id)) send({ kind: "untake", id });
				throw error;
			} finally {
				takes.delete(id);
			}
		},
		report: (call, outcome) => send({ kind: "report", call, outcome }),
		receive: ({ id, error }) => takes.get(id)?.(error),
	};
}
