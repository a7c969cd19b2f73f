import { defineCommand } from "citty";
import type { Json } from "../client.ts";
import { type CliContext, clientOf, idOf, printJson } from "../context.ts";
import { CliError, EXIT } from "../exit.ts";
import { number, seconds, table, word } from "../table.ts";
import { harmless } from "../terminal.ts";
import type { Ended } from "./scans.ts";

const json = { type: "boolean", description: "JSON for programs" } as const;
const id = { type: "positional", required: false, description: "Scan id, by default the latest" } as const;

/** Results of a complete scan; what a failed or cancelled one found comes with the reason. */
async function resultsOf(context: CliContext, word: string | undefined) {
	const client = await clientOf(context);
	const path = `/opportunities/results/${idOf(word)}`;
	const reply = await client.call("GET", path, undefined, ({ status }) => status === 409);
	if (reply.status === 202) throw new CliError(EXIT.later, "The scan is still running: lookout watch");
	return reply;
}

export const resultsCommand = (context: CliContext, ended: Ended) =>
	defineCommand({
		meta: { name: "results", description: "What a scan found" },
		args: { id, unproven: { type: "boolean", description: "Also what is not proven" }, json },
		async run({ args }) {
			const { body, status } = await resultsOf(context, args.id);
			if (status === 409) ended.code = EXIT.scan_ended_badly;
			if (args.json) return printJson(context, body);
			const metadata = body.metadata as Json;
			const rows = [...(body.opportunities as Json[]), ...(args.unproven ? ((body.unproven as Json[]) ?? []) : [])];
			context.terminal.out(`${harmless(String(body.message ?? metadata.message))}\n`);
			if (rows.length === 0) return context.terminal.out("See why: lookout why\n");
			context.terminal.out(
				`\n${table(rows, [
					{ title: "symbol", of: (row) => word(row.symbol) },
					{ title: "side", of: (row) => word(row.side) },
					{ title: "strategy", of: (row) => word(row.strategy_name) },
					{ title: "confidence", of: (row) => number(row.confidence_score, 1), right: true },
					{ title: "profit USD", of: (row) => number(row.profit_potential_usd), right: true },
					{ title: "capital USD", of: (row) => number(row.required_capital_usd, 0), right: true },
					{ title: "entry", of: (row) => number(row.entry_price, 6), right: true },
					{ title: "target", of: (row) => number(row.target_price, 6), right: true },
					{ title: "stop", of: (row) => number(row.stop_price, 6), right: true },
					{ title: "time", of: (row) => word(row.estimated_timeframe) },
					{ title: "grade", of: (row) => word((row.evidence as Json).grade) },
					{ title: "risk", of: (row) => word(row.risk_level) },
				])}`,
			);
		},
	});

const reasonsOf = (verdict: Json): string =>
	Object.entries(verdict.rejected as Record<string, number>)
		.sort(([, a], [, b]) => b - a)
		.map(([reason, count]) => `${reason} ${count}`)
		.join(", ");

function nearMissLine({ symbol, reason, value, threshold }: Json): string {
	return harmless(`      near: ${symbol} ${reason}, ${number(value, 4)} against ${number(threshold, 4)}`);
}

export const whyCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "why", description: "Why each strategy found what it found, or nothing" },
		args: { id, strategy: { type: "string", description: "Only this one, by a part of its id or name" }, json },
		async run({ args }) {
			const { body } = await resultsOf(context, args.id);
			const wanted = args.strategy?.toLowerCase();
			const verdicts = (body.strategy_results as Json[]).filter(
				({ strategy_id, strategy_name }) =>
					wanted === undefined || `${strategy_id} ${strategy_name}`.toLowerCase().includes(wanted),
			);
			if (verdicts.length === 0) throw new CliError(EXIT.absent, "No strategy of this scan is called so");
			if (args.json) return printJson(context, { scan_id: body.scan_id, strategy_results: verdicts });
			for (const verdict of verdicts) {
				const { strategy_name, verdict: end, reason, published, unproven, evaluated, duration_ms } = verdict;
				const said = reason ? `${end}, ${reason}` : String(end);
				const counts = `${published} published, ${unproven} unproven of ${evaluated}`;
				context.terminal.out(`${harmless(`${strategy_name}: ${said} (${counts}, ${seconds(duration_ms)})`)}\n`);
				const reasons = reasonsOf(verdict);
				if (reasons) context.terminal.out(`      rejected: ${harmless(reasons)}\n`);
				if (verdict.error) context.terminal.out(`      error: ${harmless(String((verdict.error as Json).message))}\n`);
				for (const miss of verdict.near_misses as Json[]) context.terminal.out(`${nearMissLine(miss)}\n`);
			}
		},
	});

export const machinesCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "machines", description: "The state machines, as a list or as a Mermaid picture" },
		args: { id: { type: "positional", required: false, description: "scan or strategy" }, json },
		async run({ args }) {
			const client = await clientOf(context);
			const path = args.id ? `/machines/${encodeURIComponent(args.id)}` : "/machines";
			const { body } = await client.call("GET", path);
			if (args.json) return printJson(context, body);
			if (args.id) return context.terminal.out(`${String(body.mermaid).trimEnd()}\n`);
			context.terminal.out(
				table(body.machines as Json[], [
					{ title: "machine", of: (machine) => word(machine.machine_id) },
					{ title: "version", of: (machine) => word(machine.version) },
					{ title: "states", of: (machine) => (machine.states as string[]).join(", "), max: 100 },
				]),
			);
		},
	});
