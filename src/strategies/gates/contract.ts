/** One gate that candidates of a strategy meet. */
export interface Gate {
	/** Reason code under which a candidate that fails it is counted. */
	reason: string;
	/** What must hold, in plain words. */
	asks: string;
	/** Names in the evaluation's `thresholds` that it compares with. */
	thresholds?: readonly string[];
}
