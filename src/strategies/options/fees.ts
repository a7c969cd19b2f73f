/** Deribit's public schedule for options: taker, its cap, and delivery at expiry. */
export const OPTION_FEES = { trade: 0.0003, premiumCap: 0.125, delivery: 0.00015 };

/** Fee of trading one option on one unit of the base, quote currency. Both arguments in quote currency. */
export const tradeFee = (premium: number, underlying: number): number =>
	Math.min(OPTION_FEES.trade * underlying, OPTION_FEES.premiumCap * premium);

/** The most that delivery of one option in the money can cost, set aside in the base currency. */
export const deliveryFee = (underlying: number): number => OPTION_FEES.delivery * underlying;
