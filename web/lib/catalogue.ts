import { get, type Json } from "./api.ts";
import { person } from "./session.ts";

export interface StrategyInfo {
	id: string;
	name: string;
	description: string;
	category: string;
	risk: string;
	owned: boolean;
}

let held: { user: string; list: Promise<StrategyInfo[]> } | null = null;

/** The catalogue in its order, with what the person owns; read once for each login. */
export function strategies(): Promise<StrategyInfo[]> {
	const user = person.value?.user_id ?? "";
	if (held?.user === user) return held.list;
	const list = read();
	held = { user, list };
	list.catch(() => {
		if (held?.list === list) held = null;
	});
	return list;
}

async function read(): Promise<StrategyInfo[]> {
	const [available, mine] = await Promise.all([get("/strategies/available"), get("/strategies/my-portfolio")]);
	const owned = new Set((mine.body.strategies as Json[]).map(({ strategy_id }) => strategy_id));
	return (Object.values(available.body.available_strategies) as Json[]).map((entry) => ({
		id: entry.strategy_id,
		name: entry.name,
		description: entry.description,
		category: entry.category,
		risk: entry.risk_level,
		owned: owned.has(entry.strategy_id),
	}));
}

/** Ownership may have changed: the next read asks again. */
export function forgetStrategies(): void {
	held = null;
}
