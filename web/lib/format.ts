/** Figures and times as people read them; what is not known is a dash. */

const NONE = "–";

export const number = (value: unknown, digits = 2): string =>
	typeof value === "number" && Number.isFinite(value)
		? value.toLocaleString(undefined, { maximumFractionDigits: digits })
		: NONE;

export const usd = (value: unknown, digits = 2): string =>
	typeof value === "number" && Number.isFinite(value)
		? value.toLocaleString(undefined, { style: "currency", currency: "USD", maximumFractionDigits: digits })
		: NONE;

/** Prices keep five significant digits, however small the coin. */
export const price = (value: unknown): string =>
	typeof value === "number" && Number.isFinite(value)
		? value.toLocaleString(undefined, value >= 1000 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 5 })
		: NONE;

export const percent = (value: unknown, digits = 1): string =>
	typeof value === "number" && Number.isFinite(value) ? `${number(value, digits)} %` : NONE;

/** A share 0..1 as percent. */
export const share = (value: unknown, digits = 1): string =>
	percent(typeof value === "number" ? value * 100 : value, digits);

export const duration = (ms: unknown): string => {
	if (typeof ms !== "number" || !Number.isFinite(ms)) return NONE;
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
	const minutes = Math.floor(ms / 60_000);
	if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
	const hours = Math.floor(minutes / 60);
	return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

export const time = (iso: unknown): string =>
	typeof iso === "string"
		? new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })
		: NONE;

export const clockTime = (iso: unknown): string => (typeof iso === "string" ? iso.slice(11, 23) : NONE);

/** `no_trigger` -> `no trigger`. */
export const words = (code: unknown): string => (typeof code === "string" ? code.replaceAll("_", " ") : NONE);
