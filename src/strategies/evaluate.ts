import type { Evaluation, EvaluationRequest } from "./contract.ts";
import { findBuiltStrategy } from "./registry.ts";

/**
 * Runs one strategy on one view. Pure but for the memo of evidence in this thread, which only repeats
 * what would be computed. Throws RangeError for a strategy this build lacks; strategies' own errors
 * pass through, because an empty answer would look like "no opportunities".
 */
export function evaluate(request: EvaluationRequest): Evaluation {
	const strategy = findBuiltStrategy(request.strategy_id);
	if (!strategy) throw new RangeError(`strategy '${request.strategy_id}' is not part of this build`);
	const { candidates, view, portfolio, limits } = request;
	return strategy.evaluate(candidates, view, portfolio, limits);
}
