/** The process in which work is counted: orders as JSON in, the work of each as JSON out. */
import { findBuiltStrategy } from "../../src/strategies/registry.ts";
import { type CountOrder, openStrategyWork } from "./work-growth.ts";

const orders = JSON.parse(process.argv[2] ?? "") as CountOrder[];
const countOf = openStrategyWork();
const counted = orders.map(({ id, plan }) => {
	const strategy = findBuiltStrategy(id);
	if (!strategy) throw new RangeError(`strategy '${id}' is not part of this build`);
	return countOf(strategy, plan);
});
process.stdout.write(JSON.stringify(counted));
