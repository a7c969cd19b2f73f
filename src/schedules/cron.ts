import { type CronExpression, CronExpressionParser } from "cron-parser";
import { CALM_SPAN_MS, isTimeZone, offsetMsAt, wallMsAt } from "./zone.ts";

/**
 * When a schedule runs. The fields are read by cron-parser; the moments are found here, because it loses runs
 * where clocks are moved by half an hour (Australia/Lord_Howe).
 *
 * When clocks are moved, each wall-clock time that is named runs once, as the first Unix crons do: one that is
 * skipped runs later by the length of the gap, one that comes twice runs the first time. A schedule of every
 * hour (hour field `*`) follows real time instead: what is skipped does not run, what is repeated runs twice.
 */
export interface Cron {
	readonly zone: string;
	readonly seconds: readonly number[];
	readonly minutes: readonly number[];
	readonly hours: readonly number[];
	readonly everyHour: boolean;
	/** Of a date: month 1..12, day 1..31, weekday 0 (Sunday) .. 6. */
	matchesDate(month: number, day: number, weekday: number): boolean;
}

export type ParsedCron = { ok: true; cron: Cron } | { ok: false; path: "cron" | "tz"; message: string };

const DAY_MS = 86_400_000;
export const CRON_LENGTH_MAX = 200;
/** Runs of a schedule are at least this far apart. */
export const RUN_GAP_MS_MIN = 60_000;
/** 29 February comes after at most eight years. */
const DAYS_LOOKED_AT_MAX = 366 * 9;
/** How much of the future the distance between runs is taken from. */
const WINDOW_RUNS = 200;
const WINDOW_DAYS = 366 * 2;

/** Numbers, names, ranges, steps and lists; random (`H`) and special (`L`, `W`, `#`, `?`) marks are not taken. */
const ATOM = "(?:\\*|(?:\\d+|[a-z]{3})(?:-(?:\\d+|[a-z]{3}))?)(?:/\\d+)?";
const FIELD = new RegExp(`^${ATOM}(?:,${ATOM})*$`, "i");
const MACROS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"]);

/** @param nowMs from where the distance between runs is looked at, epoch ms. */
export function parseCron(text: string, zone: string, nowMs: number): ParsedCron {
	const bad = (message: string): ParsedCron => ({ ok: false, path: "cron", message });
	if (!isTimeZone(zone)) return { ok: false, path: "tz", message: "is not an IANA time zone" };
	const fields = text.trim().split(/\s+/);
	const isMacro = fields.length === 1 && MACROS.has(fields[0]?.toLowerCase() ?? "");
	if (text.length > CRON_LENGTH_MAX) return bad(`must have at most ${CRON_LENGTH_MAX} characters`);
	if (!isMacro && (fields.length < 5 || fields.length > 6))
		return bad("must have five fields (minute hour day month weekday), or six with seconds first");
	if (!isMacro && !fields.every((field) => FIELD.test(field)))
		return bad("may hold numbers, names, `*`, `,`, `-` and `/` only");
	let expression: CronExpression;
	try {
		expression = CronExpressionParser.parse(fields.join(" ").toLowerCase(), { tz: "UTC" });
	} catch (error) {
		return bad(error instanceof Error ? error.message : "is not a cron expression");
	}
	const cron = cronOf(expression, zone);
	if (nextRun(cron, nowMs) === null) return bad("never runs");
	if (shortestGapMs(cron, nowMs) < RUN_GAP_MS_MIN) return bad("runs more often than every 60 s");
	return { ok: true, cron };
}

/** A cron that was parsed before and stored. Throws RangeError when it cannot be read any more. */
export function storedCron(text: string, zone: string): Cron {
	if (!isTimeZone(zone)) throw new RangeError(`no time zone ${zone}`);
	return cronOf(CronExpressionParser.parse(text.trim().replace(/\s+/g, " ").toLowerCase(), { tz: "UTC" }), zone);
}

function cronOf({ fields }: CronExpression, zone: string): Cron {
	const numbers = ({ values }: { values: readonly unknown[] }): number[] =>
		[...new Set(values.map(Number))].sort((a, b) => a - b);
	const [months, days] = [new Set(numbers(fields.month)), new Set(numbers(fields.dayOfMonth))];
	// Sunday is 0 and 7.
	const weekdays = new Set(numbers(fields.dayOfWeek).map((day) => day % 7));
	const [anyDay, anyWeekday] = [fields.dayOfMonth.isWildcard, fields.dayOfWeek.isWildcard];
	const hours = numbers(fields.hour);
	return {
		zone,
		seconds: numbers(fields.second),
		minutes: numbers(fields.minute),
		hours,
		everyHour: hours.length === 24,
		matchesDate(month, day, weekday) {
			if (!months.has(month)) return false;
			// Where both days are restricted, either of them is enough (POSIX crontab).
			if (!anyDay && !anyWeekday) return days.has(day) || weekdays.has(weekday);
			return (anyDay || days.has(day)) && (anyWeekday || weekdays.has(weekday));
		},
	};
}

/** The first run after `afterMs`, epoch ms; null: there is none within nine years. */
export function nextRun(cron: Cron, afterMs: number): number | null {
	const first = dayOf(cron, afterMs);
	const firstLater = (day: number): number =>
		runsOfDay(cron, day).find((at) => at > afterMs) ?? Number.POSITIVE_INFINITY;
	for (let day = first - 1; day <= first + DAYS_LOOKED_AT_MAX; day += 1) {
		const found = firstLater(day);
		// Where clocks are moved around midnight, days overlap.
		if (found !== Number.POSITIVE_INFINITY) return Math.min(found, firstLater(day + 1));
	}
	return null;
}

/** The last run at or before `atMs` that is later than `sinceMs`; null: there was none. */
export function lastRun(cron: Cron, atMs: number, sinceMs: number): number | null {
	const [newest, oldest] = [dayOf(cron, atMs) + 1, dayOf(cron, sinceMs) - 1];
	const lastEarlier = (day: number): number =>
		runsOfDay(cron, day).findLast((at) => at <= atMs && at > sinceMs) ?? Number.NEGATIVE_INFINITY;
	for (let day = newest; day >= oldest; day -= 1) {
		const found = lastEarlier(day);
		if (found !== Number.NEGATIVE_INFINITY) return Math.max(found, lastEarlier(day - 1));
	}
	return null;
}

/** Days since 1970 by the clocks of the zone. */
const dayOf = (cron: Cron, atMs: number): number => Math.floor(wallMsAt(cron.zone, atMs) / DAY_MS);

/** All runs of one day by the wall clock, in order. */
function runsOfDay(cron: Cron, day: number): number[] {
	const date = new Date(day * DAY_MS);
	if (!cron.matchesDate(date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay())) return [];
	const midnightMs = day * DAY_MS;
	const [before, after] = [midnightMs - CALM_SPAN_MS, midnightMs + DAY_MS + CALM_SPAN_MS].map((atMs) =>
		offsetMsAt(cron.zone, atMs),
	) as [number, number];
	const runs: number[] = [];
	for (const hour of cron.hours)
		for (const minute of cron.minutes)
			for (const second of cron.seconds) {
				const wallMs = midnightMs + ((hour * 60 + minute) * 60 + second) * 1000;
				if (before === after) runs.push(wallMs - before);
				else runs.push(...momentsOf(cron, wallMs, before, after));
			}
	return [...new Set(runs)].sort((a, b) => a - b);
}

/** When the clocks show `wallMs`, near a transition from offset `before` to `after`. */
function momentsOf({ zone, everyHour }: Cron, wallMs: number, before: number, after: number): number[] {
	const real = [wallMs - before, wallMs - after].filter((atMs) => wallMsAt(zone, atMs) === wallMs);
	if (everyHour) return real;
	// A skipped time read with the offset before the gap is later by the length of the gap.
	return [real.length > 0 ? Math.min(...real) : wallMs - before];
}

/** ms between the two closest of the runs to come, over 200 runs or two years. */
export function shortestGapMs(cron: Cron, nowMs: number): number {
	let shortest = Number.POSITIVE_INFINITY;
	let previous: number | null = null;
	const first = dayOf(cron, nowMs);
	for (let day = first, runs = 0; day < first + WINDOW_DAYS && runs < WINDOW_RUNS; day += 1) {
		for (const at of runsOfDay(cron, day)) {
			if (previous !== null && at > previous) shortest = Math.min(shortest, at - previous);
			previous = Math.max(at, previous ?? at);
			runs += 1;
		}
	}
	return shortest;
}
