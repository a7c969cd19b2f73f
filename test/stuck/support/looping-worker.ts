/** A thread in which the strategy `loop` never comes back and every other one answers with its name. */
export default function evaluate({ request }: { request: { strategy_id: string } }): { strategy_id: string } {
	const { strategy_id } = request;
	for (let turns = 0; strategy_id === "loop"; turns++) Math.sqrt(turns);
	return { strategy_id };
}
