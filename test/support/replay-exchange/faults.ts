import { z } from "zod";

const MS_MAX = 600_000;
const common = {
	/** `spot`, `usdm` or `options`; absent: all. */
	family: z.enum(["spot", "usdm", "options"]).optional(),
	/** Name of the endpoint, e.g. `klines` or `ticker/24hr`; absent: every one. */
	endpoint: z.string().min(1).optional(),
	/** The exchange's own id, e.g. `BTCUSDT`; absent: every one, also requests without a symbol. */
	symbol: z.string().min(1).optional(),
	/** How many requests it strikes; absent: all until it is cleared. */
	times: z.number().int().positive().optional(),
};
const retry_after_s = z.number().int().nonnegative();

/** One fault; what each kind does stands in docs/replay-exchange.md. */
export const faultSchema = z.discriminatedUnion("kind", [
	z.strictObject({ kind: z.literal("rate_limited"), retry_after_s: retry_after_s.default(1), ...common }),
	z.strictObject({ kind: z.literal("banned"), retry_after_s: retry_after_s.default(120), ...common }),
	z.strictObject({
		kind: z.literal("server_error"),
		status: z.number().int().min(500).max(599).default(503),
		...common,
	}),
	z.strictObject({ kind: z.literal("slow"), delay_ms: z.number().int().positive().max(MS_MAX), ...common }),
	z.strictObject({ kind: z.literal("hang"), ...common }),
	z.strictObject({ kind: z.literal("truncated"), ...common }),
	z.strictObject({ kind: z.literal("reset"), ...common }),
	z.strictObject({ kind: z.literal("stale_candle"), candles: z.number().int().positive().default(1), ...common }),
	z.strictObject({ kind: z.literal("open_candle"), ...common }),
	z.strictObject({ kind: z.literal("bad_symbol"), ...common }),
	z.strictObject({ kind: z.literal("clock_skew"), skew_ms: z.number().int(), ...common }),
]);
export type Fault = z.output<typeof faultSchema>;
export type FaultInput = z.input<typeof faultSchema>;

export interface Struck {
	family: string;
	endpoint: string;
	symbol: string | null;
}

export interface Faults {
	add(...faults: FaultInput[]): void;
	list(): Fault[];
	clear(): void;
	/** The faults that strike this request; each counts it against its `times`. */
	strike(request: Struck): Fault[];
}

/** Throws ZodError for a fault of another form. */
export function createFaults(): Faults {
	let active: Fault[] = [];
	return {
		add(...faults) {
			active.push(...faults.map((fault) => faultSchema.parse(fault)));
		},
		list: () => active.map((fault) => ({ ...fault })),
		clear() {
			active = [];
		},
		strike(request) {
			const struck = active.filter(
				({ family, endpoint, symbol }) =>
					(family === undefined || family === request.family) &&
					(endpoint === undefined || endpoint === request.endpoint) &&
					(symbol === undefined || symbol === request.symbol),
			);
			for (const fault of struck) if (fault.times !== undefined) fault.times -= 1;
			active = active.filter(({ times }) => times === undefined || times > 0);
			return struck;
		},
	};
}
