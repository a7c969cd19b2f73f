import { useState } from "./html.ts";

export interface Acting {
	busy: boolean;
	error: Error | null;
	act(run: () => Promise<void>): void;
}

/** Runs one act at a time and keeps the server's refusal. */
export function useAct(): Acting {
	const [state, setState] = useState<{ busy: boolean; error: Error | null }>({ busy: false, error: null });
	return {
		...state,
		act(run) {
			setState({ busy: true, error: null });
			run().then(
				() => setState({ busy: false, error: null }),
				(error: Error) => setState({ busy: false, error }),
			);
		},
	};
}
