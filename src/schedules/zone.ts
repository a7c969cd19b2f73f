/** Wall-clock time of IANA time zones, from the tables that Node.js carries. */

/** Two transitions of one zone are never this close, so equal offsets at both ends of a span mean that none is inside. */
export const CALM_SPAN_MS = 36 * 3_600_000;

const FORMATS_MAX = 500;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Names of the tz database and its links; plain offsets such as `+02:00` follow no switch and are no zones. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/** Throws RangeError for a zone that does not exist. */
function formatOf(zone: string): Intl.DateTimeFormat {
	const held = formats.get(zone);
	if (held) return held;
	const format = new Intl.DateTimeFormat("en-US", {
		timeZone: zone,
		calendar: "iso8601",
		hourCycle: "h23",
		year: "numeric",
		month: "numeric",
		day: "numeric",
		hour: "numeric",
		minute: "numeric",
		second: "numeric",
	});
	if (formats.size >= FORMATS_MAX) formats.clear();
	formats.set(zone, format);
	return format;
}

export function isTimeZone(zone: string): boolean {
	if (!ZONE_NAME.test(zone)) return false;
	try {
		formatOf(zone);
		return true;
	} catch {
		return false;
	}
}

/** What clocks in `zone` show at `atMs`, written as if it were UTC; whole seconds. */
export function wallMsAt(zone: string, atMs: number): number {
	const part: Record<string, number> = {};
	for (const { type, value } of formatOf(zone).formatToParts(atMs)) part[type] = Number(value);
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
	return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** ms that clocks in `zone` are ahead of UTC at `atMs`. */
export const offsetMsAt = (zone: string, atMs: number): number => wallMsAt(zone, atMs) - Math.floor(atMs / 1000) * 1000;
