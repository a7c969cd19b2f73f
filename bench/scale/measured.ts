import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Point } from "./points.ts";

/** What a machine decides, as it was measured last: `npm run bench:scale -- --live --write` writes it anew. */
export interface Measured {
	machine: string;
	/** Part of the time in which a ready thread of the program had a core. */
	core_share: number;
	/** By the names and in the units of the inputs. */
	inputs: Record<string, number>;
	/** Commands of one scan by the slot of a cluster. */
	slots: Record<string, number>;
	/** Trivial scans beside what the simulation says of them. */
	points: Point[];
}

const FILE = join(import.meta.dirname, "measured.json");

export const readMeasured = (): Measured => JSON.parse(readFileSync(FILE, "utf8")) as Measured;

const DIGITS = 3;
const rounded = (value: number): number => Number(value.toPrecision(DIGITS));
const roundedAll = (values: Record<string, number>): Record<string, number> =>
	Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]));

/** Keeps three significant digits of each figure. */
export function writeMeasured(found: Measured): Measured {
	const kept: Measured = {
		...found,
		core_share: rounded(found.core_share),
		inputs: roundedAll(found.inputs),
		slots: roundedAll(found.slots),
		points: found.points.map(({ what, measured, predicted, core_share }) => ({
			what,
			measured: rounded(measured),
			predicted: rounded(predicted),
			core_share: core_share === null ? null : rounded(core_share),
		})),
	};
	writeFileSync(FILE, `${JSON.stringify(kept, null, "\t")}\n`);
	return kept;
}
