class EffectCut extends Error {
	constructor() {
		super("the effect is no longer wanted");
		this.name = "AbortError";
	}
}

/** One for all: every effect that has answered is cut too, and a stack trace for each costs more than the cut. */
const CUT = new EffectCut();

/** The abort signal of one effect, made when somebody asks for it: a scan has eighteen, and the quick ones look at none. */
export class Cut {
	private controller: AbortController | null = null;
	private made = false;

	get aborted(): boolean {
		return this.made;
	}

	get signal(): AbortSignal {
		if (this.controller === null) {
			this.controller = new AbortController();
			if (this.made) this.controller.abort(CUT);
		}
		return this.controller.signal;
	}

	abort(): void {
		this.made = true;
		this.controller?.abort(CUT);
	}
}
