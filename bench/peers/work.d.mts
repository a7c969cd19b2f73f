export interface WorkRow {
	opportunity_id: string;
	strategy_id: string;
	symbol: string;
	confidence_score: number;
}
export const STRATEGIES: number;
export const PHASES: readonly string[];
export const STEPS: number;
export function rowOf(scanId: string, index: number): WorkRow & Record<string, unknown>;
export function phaseOf(phase: string): Record<string, unknown>;
export function rankingOf(rows: readonly WorkRow[]): string[];
