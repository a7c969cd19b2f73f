import type { Series } from "../market/contract.ts";
import { last } from "./columns.ts";
import { Memo } from "./evidence/memo.ts";
import { readNewest } from "./newest-reading.ts";
import type { Reading, Rule } from "./rule.ts";

/** What a rule says of the last closed bar of one series; levels in price units. */
export interface LastReading {
	/** First failing gate, null when the rule fires. */
	gate: string | null;
	side: 1 | -1;
	stop: number;
	/** null: no target. */
	target: number | null;
	strength: number;
	nearMiss: ReturnType<Reading["nearMissAt"]>;
	/** Only of bars that fire. */
	indicators: Record<string, number>;
	reasoning: string;
}

/** Last readings kept warm in this thread: a few rules over a few hundred series. */
const ENTRIES_MAX = 4096;
const memo = new Memo<LastReading>(ENTRIES_MAX);

/** Reads a rule at the last bar, once per closed bar: the key is the rule and the content of the series. */
export function readLast(rule: Rule, series: Series, fingerprint: string): LastReading {
	return memo.get(`${rule.name}#${fingerprint}`, () => lastReadingOf(rule, series));
}

/** The same without a memo: what is kept of whole columns is a handful of numbers. */
export function lastReadingOf(rule: Rule, series: Series): LastReading {
	const { reading, tail } = readNewest(rule, series);
	const t = tail.length - 1;
	const gate = reading.gateAt(t);
	const { plan } = reading;
	return {
		gate,
		side: plan.side,
		stop: last(plan.stop),
		target: plan.target ? last(plan.target) : null,
		strength: reading.strengthAt(t),
		nearMiss: gate === null ? null : reading.nearMissAt(t),
		indicators: gate === null ? reading.indicatorsAt(t) : {},
		reasoning: gate === null ? reading.reasoningAt(t) : "",
	};
}
