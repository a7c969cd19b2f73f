/** The process in which work is counted: `{ ids, plan }` as JSON in, the work of each as JSON out. */
import { findBuiltStrategy } from "../../src/strategies/registry.ts";
import { openStrategyWork, type WorkPlan } from "./work-growth.ts";

const { ids, plan } = JSON.parse(process.argv[2] ?? "") as { ids: string[]; plan: WorkPlan };
const countOf = openStrategyWork();
const counted = ids.map((id) => {
	const strategy = findBuiltStrategy(id);
	if (!strategy) throw new RangeError(`strategy '${id}' is not part of this build`);
	return countOf(strategy, plan);
});
process.stdout.write(JSON.stringify(counted));
