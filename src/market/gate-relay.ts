/** The program's side of the gate before a thread's requests: its budget lies in the store, whose client is here. */
import type { SourceGate } from "./gate.ts";
import type { AskGate, TellGate } from "./gate-thread.ts";
import { plainError } from "./plain-error.ts";

export interface GateRelay {
	receive(message: AskGate): void;
	/** The thread is gone: nobody waits for a turn any more. */
	clear(why: string): void;
}

export function createGateRelay(
	gate: Pick<SourceGate, "take" | "report">,
	send: (message: TellGate) => void,
): GateRelay {
	const takes = new Map<number, AbortController>();

	const take = async ({ id, call }: Extract<AskGate, { kind: "take" }>): Promise<void> => {
		const own = new AbortController();
		takes.set(id, own);
		const error = await gate.take({ ...call, signal: own.signal }).then(() => null, plainError);
		if (takes.get(id) !== own) return;
		takes.delete(id);
		send({ kind: "taken", id, error });
	};

	return {
		receive(message) {
			if (message.kind === "take") return void take(message);
			if (message.kind === "report") return gate.report(message.call, message.outcome);
			takes.get(message.id)?.abort(new Error("nobody waits any more"));
			takes.delete(message.id);
		},
		clear(why) {
			for (const own of takes.values()) own.abort(new Error(why));
			takes.clear();
		},
	};
}
