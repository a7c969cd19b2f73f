/** Parameters of a request and the exchange's own refusals. */

/** An answer of the exchange that is an error; the body has its published form. */
export class ExchangeRefusal extends Error {
	readonly status: number;
	readonly body: { code: number; msg: string };
	constructor(status: number, code: number, msg: string) {
		super(msg);
		this.name = "ExchangeRefusal";
		this.status = status;
		this.body = { code, msg };
	}
}

export const invalidSymbol = (): ExchangeRefusal => new ExchangeRefusal(400, -1121, "Invalid symbol.");

/** Throws code -1102 when the parameter is absent. */
export function required(query: URLSearchParams, name: string): string {
	const value = query.get(name);
	if (!value) {
		const msg = `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`;
		throw new ExchangeRefusal(400, -1102, msg);
	}
	return value;
}

/** A whole number, null when absent. Throws code -1100 for other characters. */
export function wholeNumber(query: URLSearchParams, name: string): number | null {
	const value = query.get(name);
	if (value === null) return null;
	if (!/^\d{1,16}$/.test(value)) {
		throw new ExchangeRefusal(
			400,
			-1100,
			`Illegal characters found in parameter '${name}'; legal range is '^[0-9]*$'.`,
		);
	}
	return Number(value);
}

/** `limit` of a request: the default when absent, never above the cap. Throws code -1100 or -1130. */
export function limitOf(query: URLSearchParams, byDefault: number, cap: number): number {
	const limit = wholeNumber(query, "limit") ?? byDefault;
	if (limit < 1) throw new ExchangeRefusal(400, -1130, "Data sent for parameter 'limit' is not valid.");
	return Math.min(limit, cap);
}

/**
 * The part of growing `times` that a request with startTime, endTime and limit asks for, as indices [start, end):
 * with a startTime the first ones from there, else the newest.
 */
export function windowOf(
	times: ArrayLike<number>,
	length: number,
	query: URLSearchParams,
	limit: number,
): [start: number, end: number] {
	const from = wholeNumber(query, "startTime");
	const to = wholeNumber(query, "endTime") ?? Number.POSITIVE_INFINITY;
	let start = 0;
	while (from !== null && start < length && (times[start] as number) < from) start++;
	let end = length;
	while (end > start && (times[end - 1] as number) > to) end--;
	return from === null ? [Math.max(start, end - limit), end] : [start, Math.min(end, start + limit)];
}
