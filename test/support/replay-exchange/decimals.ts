/** Binance states prices and quantities with at most this many decimals. */
const DECIMALS_MAX = 8;

/** The shortest decimal text that reads back as the same double, without an exponent. */
export function plainDecimal(value: number): string {
	const text = String(value);
	const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
	if (!match) return text;
	const [, sign = "", first = "", rest = "", exponentText = "0"] = match;
	const digits = first + rest;
	const exponent = Number(exponentText);
	if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
	return `${sign}${digits}${"0".repeat(exponent - rest.length)}`;
}

/** Most decimals among the values, up to 8: what they were rounded to. */
export function decimalsOf(values: Iterable<number>): number {
	let most = 0;
	for (const value of values) {
		const decimals = value
			.toFixed(DECIMALS_MAX)
			.replace(/\.?0+$/, "")
			.split(".")[1];
		most = Math.max(most, decimals?.length ?? 0);
	}
	return most;
}

/** 2 -> "0.01", 0 -> "1". */
export const stepText = (decimals: number): string => (decimals === 0 ? "1" : `0.${"0".repeat(decimals - 1)}1`);
