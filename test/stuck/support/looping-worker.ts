/** A thread in which the strategy `loop` never comes back and every other one answers with its name. */
export default function evaluate({ strategy_id }: { strategy_id: string }): { strategy_id: string } {
	for (let turns = 0; strategy_id === "loop"; turns++) Math.sqrt(turns);
	return { strategy_id };
}
