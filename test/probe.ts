import { evaluate } from "../src/strategies/evaluate.ts";
import { findBuiltStrategy } from "../src/strategies/registry.ts";
import { PLACES, requestAt } from "./support/places.ts";
import { alike } from "./support/verdicts.ts";
for (const id of process.argv.slice(2)) {
	const place = PLACES[id]!.publishes;
	const clockMs = Date.parse(place.at) + 40 * 86400000;
	const t0 = performance.now();
	const then = await requestAt(id, place); const t1 = performance.now();
	const later = await requestAt(id, place, clockMs); const t2 = performance.now();
	const a = evaluate(then); const t3 = performance.now(); const b = evaluate(later);
	console.log(id, a.published.length, a.unproven.length, (t1 - t0).toFixed(), (t2 - t1).toFixed(), (t3 - t2).toFixed(), (performance.now() - t3).toFixed());
	try { alike(b, a, 0); console.log("  same"); } catch (e) { console.log("  DIFF", (e as Error).message.slice(0, 300)); }
	if (!findBuiltStrategy(id)?.needs.evidence) continue;
	const next = await requestAt(id, { ...place, at: new Date(clockMs).toISOString() });
	const told = evaluate({ ...then, view: { ...then.view, evidence: next.view.evidence } });
	try { alike(told, a, 0); console.log("  evidence same"); } catch (e) { console.log("  EVIDENCE DIFF", (e as Error).message.slice(0, 300)); }
}
