import { CronExpressionParser } from "cron-parser";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lastRun, nextRun, parseCron, shortestGapMs, storedCron } from "../../src/schedules/cron.ts";

/** When schedules run, against a reference that asks the clocks of the zone minute by minute. */
const MINUTE_MS = 60_000;
const at = (text: string): number => Date.parse(text);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const NOW = at("2026-01-01T00:00:00Z");

function runs(pattern: string, zone: string, from: string, count: number): (string | null)[] {
	const cron = storedCron(pattern, zone);
	const found: (string | null)[] = [];
	for (let ms: number | null = at(from); ms !== null && found.length < count; ) {
		ms = nextRun(cron, ms);
		found.push(iso(ms));
	}
	return found;
}

const refusal = (pattern: string, zone = "UTC"): string => {
	const parsed = parseCron(pattern, zone, NOW);
	return parsed.ok ? "accepted" : `${parsed.path}: ${parsed.message}`;
};

const cron = suite("schedules: when they run");

cron("clocks moved forward: a skipped time runs later by the length of the gap, once", () => {
	assert.equal(runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3), [
		"2026-03-28T01:30:00.000Z",
		"2026-03-29T01:30:00.000Z",
		"2026-03-30T00:30:00.000Z",
	]);
	assert.equal(runs("30 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", 2), [
		"2026-03-29T01:30:00.000Z",
		"2026-03-30T00:30:00.000Z",
	]);
	// Half an hour, in the southern spring.
	assert.equal(runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2), [
		"2026-10-03T15:45:00.000Z",
		"2026-10-04T15:15:00.000Z",
	]);
});

cron("clocks moved back: a repeated time runs the first time, once", () => {
	assert.equal(runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), [
		"2026-10-25T00:30:00.000Z",
		"2026-10-26T01:30:00.000Z",
	]);
	assert.equal(runs("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2), [
		"2026-11-01T05:30:00.000Z",
		"2026-11-02T06:30:00.000Z",
	]);
	// Asked between the two 02:30: it has run.
	assert.equal(runs("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), ["2026-10-26T01:30:00.000Z"]);
});

cron("a schedule of every hour follows real time over both switches", () => {
	const steady = (from: string, zone: string) => {
		const found = runs("*/15 * * * *", zone, from, 40).map((text) => at(String(text)));
		assert.ok(
			found.every((ms, i) => i === 0 || ms - Number(found[i - 1]) === 15 * MINUTE_MS),
			zone,
		);
	};
	for (const [zone, spring, autumn] of [
		["Europe/Berlin", "2026-03-28T22:00:00Z", "2026-10-24T22:00:00Z"],
		["America/New_York", "2026-03-08T03:00:00Z", "2026-11-01T03:00:00Z"],
		["Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-04-04T12:00:00Z"],
	] as const) {
		steady(spring, zone);
		steady(autumn, zone);
	}
});

cron("months, names, weekdays, steps, leap days and words for common schedules", () => {
	assert.equal(runs("0 9 * * mon-fri", "America/New_York", "2026-01-02T15:00:00Z", 2), [
		"2026-01-05T14:00:00.000Z",
		"2026-01-06T14:00:00.000Z",
	]);
	assert.equal(runs("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z", 1), ["2104-02-29T00:00:00.000Z"]);
	assert.equal(runs("0 0 1 * 1", "UTC", "2026-06-01T00:00:00Z", 2), [
		"2026-06-08T00:00:00.000Z",
		"2026-06-15T00:00:00.000Z",
	]);
	assert.equal(runs("0 12 * * 7", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-04T12:00:00.000Z"]);
	assert.equal(runs("@hourly", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-01T01:00:00.000Z"]);
	assert.equal(runs("30 */10 * * * *", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-01T00:00:30.000Z"]);
});

cron("what runs too often, never or by chance is refused with its reason", () => {
	for (const pattern of ["* * * * * *", "*/30 * * * * *", "0,59 0 1 1 * *", "@secondly", "@minutely"])
		assert.match(refusal(pattern), /^cron: /, pattern);
	assert.match(refusal("0,59 0 0 1 1 *"), /more often/);
	assert.is(refusal("* * * * *"), "accepted");
	assert.is(refusal("0 * * * * *"), "accepted");
	for (const pattern of ["", "* * * *", "0 0 30 2 *", "61 * * * *", "H * * * *", "0 0 L * *", "0 12 * * 1#2"])
		assert.match(refusal(pattern), /^cron: /, pattern);
	assert.match(refusal("0 0 * * * * 2027"), /^cron: /);
	assert.match(refusal(`${"0,".repeat(200)}1 * * * *`), /^cron: /);
	for (const zone of ["Nowhere/City", "+02:00", "", "Europe/Berlin\n"])
		assert.match(refusal("0 0 * * *", zone), /^tz: /);
	assert.is(shortestGapMs(storedCron("0,5 12 * * *", "UTC"), NOW), 5 * MINUTE_MS);
});

const ZONES = [
	"UTC",
	"Europe/Berlin",
	"America/New_York",
	"America/St_Johns",
	"America/Sao_Paulo",
	"Australia/Lord_Howe",
	"Asia/Kathmandu",
	"Africa/Casablanca",
	"Pacific/Chatham",
	"Atlantic/Azores",
	"Asia/Beirut",
];
/** Moments around which clocks are moved somewhere in these zones, and ordinary ones. */
const STARTS = [
	"2026-03-29T00:00:00Z",
	"2026-10-25T00:00:00Z",
	"2026-03-08T06:00:00Z",
	"2026-11-01T05:00:00Z",
	"2026-04-04T15:00:00Z",
	"2026-10-03T15:00:00Z",
	"2026-09-26T14:00:00Z",
	"2026-02-15T02:00:00Z",
	"2026-03-28T22:00:00Z",
	"2026-12-31T22:00:00Z",
	"2026-06-15T12:00:00Z",
].map(at);

interface Fields {
	minutes: number[];
	hours: number[] | null;
	weekdays: number[] | null;
}

const list = (values: number[] | null): string => (values === null ? "*" : values.join(","));
const formats = new Map<string, Intl.DateTimeFormat>();
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Minute, hour, weekday and date that the clocks of the zone show. */
function shown(zone: string, ms: number): { minute: number; hour: number; weekday: number; text: string } {
	let format = formats.get(zone);
	if (!format) {
		const parts = { weekday: "short", hour: "2-digit", minute: "2-digit", day: "2-digit", month: "2-digit" } as const;
		format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...parts });
		formats.set(zone, format);
	}
	const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
	return {
		minute: Number(part.minute),
		hour: Number(part.hour),
		weekday: DAYS.indexOf(part.weekday ?? ""),
		text: `${part.month}-${part.day} ${part.hour}:${part.minute}`,
	};
}

/** Every run of the hours from `fromMs`, by looking at the clock each minute; skipped and repeated times as promised. */
function reference({ minutes, hours, weekdays }: Fields, zone: string, fromMs: number, hoursLong: number): number[] {
	const matches = (minute: number, hour: number, weekday: number): boolean =>
		minutes.includes(minute) &&
		(hours === null || hours.includes(hour)) &&
		(weekdays === null || weekdays.includes(weekday));
	const found = new Set<number>();
	const seen = new Set<string>();
	// A day earlier, so that what has been shown before is known.
	let previous = shown(zone, fromMs - 25 * 60 * MINUTE_MS);
	for (
		let ms = fromMs - 24 * 60 * MINUTE_MS - 59 * MINUTE_MS;
		ms <= fromMs + hoursLong * 60 * MINUTE_MS;
		ms += MINUTE_MS
	) {
		const now = shown(zone, ms);
		if (hours !== null) {
			// The clock has jumped: what it left out runs as late as the jump is long.
			const jump = (now.hour * 60 + now.minute - previous.hour * 60 - previous.minute + 1440) % 1440;
			if (jump > 1 && jump < 720)
				for (let skipped = 1; skipped < jump; skipped += 1) {
					const total = previous.hour * 60 + previous.minute + skipped;
					const weekday = (previous.weekday + Math.floor(total / 1440)) % 7;
					if (matches(total % 60, Math.floor(total / 60) % 24, weekday)) found.add(ms + (skipped - 1) * MINUTE_MS);
				}
		}
		const repeated = seen.has(now.text);
		if (matches(now.minute, now.hour, now.weekday) && (hours === null || !repeated)) found.add(ms);
		seen.add(now.text);
		previous = now;
	}
	return [...found].filter((ms) => ms > fromMs && ms <= fromMs + hoursLong * 60 * MINUTE_MS).sort((a, b) => a - b);
}

const someOf = (below: number, most: number) =>
	fc.uniqueArray(fc.integer({ min: 0, max: below - 1 }), { minLength: 1, maxLength: most });
const fieldsArb = fc.record({
	minutes: someOf(60, 4),
	hours: fc.option(
		fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 23 })), {
			minLength: 1,
			maxLength: 6,
		}),
	),
	weekdays: fc.option(someOf(7, 4), { freq: 3 }),
});

cron("the runs of any fields in any zone are those of the clock, looked at each minute", () => {
	const HOURS = 30;
	fc.assert(
		fc.property(
			fieldsArb,
			fc.constantFrom(...ZONES),
			fc.constantFrom(...STARTS),
			fc.integer({ min: -90, max: 90 }),
			(fields, zone, start, shiftMin) => {
				const fromMs = start + shiftMin * MINUTE_MS;
				const pattern = `${list(fields.minutes)} ${list(fields.hours)} * * ${list(fields.weekdays)}`;
				const parsed = storedCron(pattern, zone);
				const wanted = reference(fields, zone, fromMs, HOURS);
				const got: number[] = [];
				for (
					let ms = nextRun(parsed, fromMs);
					ms !== null && ms <= fromMs + HOURS * 60 * MINUTE_MS;
					ms = nextRun(parsed, ms)
				)
					got.push(ms);
				assert.equal(got.map(iso), wanted.map(iso), `${pattern} ${zone} from ${iso(fromMs)}`);
				const untilMs = fromMs + HOURS * 60 * MINUTE_MS;
				assert.is(
					iso(lastRun(parsed, untilMs, fromMs)),
					iso(wanted.at(-1) ?? null),
					"looking back finds the last of them",
				);
			},
		),
		{ numRuns: 60 },
	);
});

cron("without switches they are those of cron-parser", () => {
	const field = (below: number, from = 0) =>
		fc.oneof(
			fc.constant("*"),
			fc.integer({ min: from, max: below - 1 }).map(String),
			fc.integer({ min: 2, max: 9 }).map((step) => `*/${step}`),
			fc
				.tuple(fc.integer({ min: from, max: below - 1 }), fc.integer({ min: from, max: below - 1 }))
				.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
		);
	fc.assert(
		fc.property(
			field(60),
			field(24),
			field(29, 1),
			field(13, 1),
			field(7),
			fc.integer({ min: 0, max: 400_000 }),
			(minute, hour, day, month, weekday, minutes) => {
				const pattern = `${minute} ${hour} ${day} ${month} ${weekday}`;
				const fromMs = NOW + minutes * MINUTE_MS;
				const theirs = CronExpressionParser.parse(pattern, { tz: "UTC", currentDate: new Date(fromMs) });
				let ms: number | null = fromMs;
				for (let run = 0; run < 3 && ms !== null; run += 1) {
					ms = nextRun(storedCron(pattern, "UTC"), ms);
					assert.is(iso(ms), theirs.next().toISOString(), pattern);
				}
			},
		),
		{ numRuns: 100 },
	);
});

cron.run();
