import type { ScanEvent, StrategyReport } from "../../machines/events.ts";
import type { Tally } from "../../machines/types.ts";
import type { MachineEvent } from "./write-contract.ts";

/**
 * A strategy reports the ids of all rows that it has found so far each time, so a journal that kept them would grow with
 * reports times rows. It keeps a list of ids as what it takes from the one before of the same strategy: an id that was
 * not in that is written as it is, a number is the place of one that was, `[from, count]` a stretch of them. A first
 * list is written out, as all lists of older programs are.
 */
export type ShortIds = (string | number | [from: number, count: number])[];

export function shortIds(before: readonly string[], ids: readonly string[]): ShortIds {
	if (before.length === 0) return [...ids];
	const places = new Map(before.map((id, place) => [id, place]));
	const short: ShortIds = [];
	for (let at = 0; at < ids.length; ) {
		const id = ids[at] as string;
		const from = places.get(id);
		let count = 1;
		if (from !== undefined) while (at + count < ids.length && ids[at + count] === before[from + count]) count++;
		short.push(from === undefined ? id : count === 1 ? from : [from, count]);
		at += count;
	}
	return short;
}

/** The ids again; what refers to an id that is not there is left out. */
export const wholeIds = (before: readonly string[], short: Readonly<ShortIds>): string[] =>
	short.flatMap((part) => {
		if (typeof part === "string") return [part];
		const [from, count] = typeof part === "number" ? [part, 1] : part;
		return before.slice(from, from + count);
	});

type Told = Pick<Tally, "row_ids" | "unproven_ids">;

/** Follows the reports of one scan in the order of its journal; `change` gives a list's other form. */
function follow(change: (before: readonly string[], ids: never) => unknown, keep: "given" | "made") {
	const told = new Map<string, Told>();
	return (event: ScanEvent): ScanEvent => {
		if (event.type !== "strategies.reported") return event;
		const reports = event.reports.map((report): StrategyReport => {
			const { tally, strategy_id } = report;
			if (!tally) return report;
			const before = told.get(strategy_id);
			if (!before && keep === "given") {
				// Nothing to take from: the first lists are written out.
				told.set(strategy_id, tally);
				return report;
			}
			const made = {
				row_ids: change(before?.row_ids ?? [], tally.row_ids as never),
				unproven_ids: change(before?.unproven_ids ?? [], tally.unproven_ids as never),
			} as Told;
			const { row_ids, unproven_ids } = keep === "given" ? tally : made;
			told.set(strategy_id, { row_ids, unproven_ids });
			return { ...report, tally: { ...tally, ...made } } as StrategyReport;
		});
		return { ...event, reports };
	};
}

/** For the events of one holder of a scan, in the order in which they are written down. */
export const shortener = (): ((event: ScanEvent) => MachineEvent) =>
	follow(shortIds, "given") as (event: ScanEvent) => unknown as (event: ScanEvent) => MachineEvent;

/** For the events of one journal, from its first on. */
export const restorer = (): ((event: ScanEvent) => ScanEvent) => follow(wholeIds, "made");
