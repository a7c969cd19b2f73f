/**
 * `npm run replay-exchange -- --data <dir> [--as-of <ISO time>] [--port <n>] [--latency-ms <n>] [--min-notional <usd>]`
 * Serves until it is told to stop (Ctrl-C).
 */
import { parseArgs } from "node:util";
import { createReplayExchange, type ReplayOptions } from "./exchange.ts";

const USAGE =
	"usage: npm run replay-exchange -- --data <dir> [--as-of <ISO time>] [--port <n>] [--latency-ms <n>] [--min-notional <usd>]";
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function number(name: string, text: string | undefined, max: number): number | undefined {
	if (text === undefined) return undefined;
	const value = Number(text);
	if (text === "" || !(value >= 0 && value <= max)) throw new Error(`--${name} ${text} is no number from 0 to ${max}`);
	return value;
}

function settings(): ReplayOptions {
	const text = { type: "string" } as const;
	const { values } = parseArgs({
		options: { data: text, "as-of": text, port: text, "latency-ms": text, "min-notional": text },
	});
	if (!values.data) throw new Error("--data is missing");
	const asOfMs = values["as-of"] === undefined ? null : Date.parse(values["as-of"]);
	if (Number.isNaN(asOfMs)) throw new Error(`--as-of ${values["as-of"]} is no time`);
	const minNotional = number("min-notional", values["min-notional"], 1e9);
	return {
		dir: values.data,
		asOfMs,
		port: number("port", values.port, 65_535) ?? 0,
		latencyMs: number("latency-ms", values["latency-ms"], 600_000) ?? 0,
		...(minNotional === undefined ? {} : { minNotional }),
	};
}

try {
	const chosen = settings();
	const exchange = await createReplayExchange(chosen);
	say(`replay exchange on ${exchange.baseUrl}`);
	say(`  data   ${chosen.dir}`);
	say(`  clock  ${new Date(exchange.now()).toISOString()} (stands still; POST /__clock {"now": "..."} moves it)`);
	say('  faults POST /__faults {"kind": "rate_limited", "endpoint": "klines", "times": 3}, DELETE /__faults');
	say("  counts GET /__stats");
	for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void exchange.close());
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
	process.exitCode = 2;
}
