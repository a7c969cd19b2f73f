import { parseArgs } from "node:util";
import { PERP_VENUE, SPOT_VENUE } from "../market/recorded-layout.ts";

export const RECORD_USAGE = `usage: npm run record -- --exchange binance[,binanceusdm] --out <dir>
  --symbols <list>     unified symbols or the exchange's ids, e.g. BTC/USDT,ETHUSDT; default: all that trade in USDT
  --timeframes <list>  of 1h,1d; default: both
  --since <ISO time>   default: as far back as the exchange goes
  --until <ISO time>   default: the exchange's last full hour
  --base-url <origin>  another server that speaks the same, e.g. a replay exchange
Stopped at any point, the same command goes on where it was.`;

/** Wrong words on the command line; the message says which. */
export class RecordUsageError extends Error {
	constructor(problem: string) {
		super(problem);
		this.name = "RecordUsageError";
	}
}

/** Exchanges whose answers fill the recorded layout; each is a venue of it. */
const VENUES = [SPOT_VENUE, PERP_VENUE] as const;
export type Venue = (typeof VENUES)[number];
const RECORDED_TIMEFRAMES = ["1h", "1d"] as const;
export type RecordedTimeframe = (typeof RECORDED_TIMEFRAMES)[number];

/** What is to be recorded, in the words of who asked. */
export interface RecordRequest {
	exchanges: Venue[];
	timeframes: RecordedTimeframe[];
	/** null: all that trade in the layout's quote. */
	symbols: string[] | null;
	since_ms: number | null;
	/** null: the last full hour of the exchange's clock. */
	until_ms: number | null;
}

export interface RecordOptions {
	request: RecordRequest;
	out: string;
	baseUrl: string | null;
}

/** Throws RecordUsageError. */
export function recordOptions(args: string[]): RecordOptions {
	const values = parse(args);
	if (values.exchange === undefined) throw new RecordUsageError("--exchange is missing");
	if (!values.out) throw new RecordUsageError("--out is missing");
	const [since_ms, until_ms] = [timeOf("since", values.since), timeOf("until", values.until)];
	if (since_ms !== null && until_ms !== null && since_ms >= until_ms) {
		throw new RecordUsageError("--since is not before --until");
	}
	return {
		out: values.out,
		baseUrl: values["base-url"] ?? null,
		request: {
			exchanges: chosen("exchange", values.exchange, VENUES),
			timeframes: chosen("timeframes", values.timeframes ?? RECORDED_TIMEFRAMES.join(","), RECORDED_TIMEFRAMES),
			symbols: values.symbols === undefined ? null : listOf("symbols", values.symbols).sort(),
			since_ms,
			until_ms,
		},
	};
}

function parse(args: string[]) {
	const text = { type: "string" } as const;
	const options = { exchange: text, out: text, symbols: text, timeframes: text, since: text, until: text };
	try {
		return parseArgs({ args, options: { ...options, "base-url": text } }).values;
	} catch (error) {
		throw new RecordUsageError((error as Error).message);
	}
}

function listOf(name: string, text: string): string[] {
	const list = [...new Set(text.split(",").map((part) => part.trim()))].filter((part) => part !== "");
	if (list.length === 0) throw new RecordUsageError(`--${name} names nothing`);
	return list;
}

/** The parts of a list in the order of `known`, so that the same request is the same whatever its order. */
function chosen<T extends string>(name: string, text: string, known: readonly T[]): T[] {
	const list = listOf(name, text);
	const strange = list.find((part) => !known.some((word) => word === part));
	if (strange !== undefined) {
		throw new RecordUsageError(`--${name} ${strange} cannot be recorded (known: ${known.join(", ")})`);
	}
	return known.filter((word) => list.includes(word));
}

function timeOf(name: string, text: string | undefined): number | null {
	if (text === undefined) return null;
	const ms = Date.parse(text);
	if (Number.isNaN(ms)) throw new RecordUsageError(`--${name} ${text} is no time`);
	return ms;
}
