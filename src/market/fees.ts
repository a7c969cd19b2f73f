/** Fractions of notional. */
export interface FeeSchedule {
	maker: number;
	taker: number;
}

/** Public schedules without discounts: spot 0.10/0.10 %, USD-M perps 0.02/0.05 %. */
export const SPOT_FEES: FeeSchedule = { maker: 0.001, taker: 0.001 };
export const PERP_FEES: FeeSchedule = { maker: 0.0002, taker: 0.0005 };
