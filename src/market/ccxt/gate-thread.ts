/** The thread's side of the gate: asked by message. */
import { abortable } from "../abortable.ts";
import type { SourceGate } from "../gate.ts";
import type { AskGate, PlainError, TellGate } from "./protocol.ts";

export interface ThreadGate extends Pick<SourceGate, "take" | "report"> {
	receive(message: TellGate): void;
}

/** `errorOf`: what a refusal is for those who asked. */
export function createThreadGate(
	send: (message: AskGate) => void,
	errorOf: (error: PlainError) => Error,
): ThreadGate {
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
