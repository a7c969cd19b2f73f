/** Numbers of an exchange: null for what is absent, no number or not above zero. */
export const positive = (value: unknown): number | null => {
	const number = value === undefined || value === null || value === "" ? Number.NaN : Number(value);
	return Number.isFinite(number) && number > 0 ? number : null;
};
