import { defineCommand } from "citty";
import type { Json } from "../client.ts";
import { type CliContext, clientOf, idOf, printJson, resolveId } from "../context.ts";
import { number, seconds, table, word } from "../table.ts";
import { harmless } from "../terminal.ts";
import { watchScan } from "./watch.ts";

const json = { type: "boolean", description: "JSON for programs" } as const;
const id = { type: "positional", required: false, description: "Scan id, by default the latest" } as const;

/** Set by the command, read by its caller. */
export interface Ended {
	code: number;
}

export const scanCommand = (context: CliContext, ended: Ended) =>
	defineCommand({
		meta: { name: "scan", description: "Start a scan, or join one of the same filters" },
		args: {
			symbols: { type: "string", description: "Bases or pairs, separated by commas", valueHint: "BTC,ETH/USDT" },
			strategies: { type: "string", description: "Strategies by id or name", valueHint: "funding_arbitrage" },
			tiers: { type: "string", description: "Asset tiers", valueHint: "tier_enterprise" },
			risk: { type: "string", description: "low, medium, high, very_high" },
			"min-profit": { type: "string", description: "Least expected net profit, USD" },
			"max-capital": { type: "string", description: "Most capital a row may need, USD" },
			timeframes: { type: "string", description: "Holding times, as 4h or 1-7d" },
			force: { type: "boolean", description: "Do not reuse a recent result" },
			key: { type: "string", description: "Idempotency-Key: repeating the command starts nothing twice" },
			watch: { type: "boolean", alias: "w", description: "Follow the scan to its end" },
			json,
		},
		async run({ args }) {
			const client = await clientOf(context);
			const body: Json = {
				symbols: args.symbols,
				strategy_ids: args.strategies,
				asset_tiers: args.tiers,
				filter_by_risk_level: args.risk?.split(","),
				preferred_timeframes: args.timeframes,
				...(args["min-profit"] === undefined ? {} : { min_profit_potential: Number(args["min-profit"]) }),
				...(args["max-capital"] === undefined ? {} : { max_required_capital: Number(args["max-capital"]) }),
				force_refresh: args.force === true,
			};
			const started = await client.call("POST", "/opportunities/discover", body, undefined, args.key);
			const scanId = String(started.body.scan_id);
			if (args.json && !args.watch) return printJson(context, started.body);
			if (!args.json) context.terminal.out(`${scanId}  ${harmless(String(started.body.message))}\n`);
			if (args.watch) ended.code = await watchScan(context, client, scanId, args.json === true);
			else context.terminal.out(`Watch it: lookout watch ${scanId}\n`);
		},
	});

export const watchCommand = (context: CliContext, ended: Ended) =>
	defineCommand({
		meta: { name: "watch", description: "Follow a scan to its end" },
		args: { id, json },
		async run({ args }) {
			const client = await clientOf(context);
			ended.code = await watchScan(context, client, await resolveId(client, args.id), args.json === true);
		},
	});

export const statusCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "status", description: "How a scan stands" },
		args: { id, json },
		async run({ args }) {
			const client = await clientOf(context);
			const { body } = await client.call("GET", `/opportunities/status/${idOf(args.id)}`);
			if (args.json) return printJson(context, body);
			const progress = body.progress as Json;
			const counts = `${progress.strategies_completed} of ${progress.total_strategies} strategies, ${body.total_opportunities} found`;
			context.terminal.out(
				`${body.scan_id}  ${body.state} (${body.phase})\n${counts}\n${harmless(String(body.message))}\n`,
			);
		},
	});

export const cancelCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "cancel", description: "End a scan; what it found is kept" },
		args: { id, reason: { type: "string", description: "Why, for the journal" }, json },
		async run({ args }) {
			const client = await clientOf(context);
			const scanId = await resolveId(client, args.id);
			const body = args.reason === undefined ? {} : { reason_text: args.reason };
			const reply = await client.call("POST", `/opportunities/scans/${scanId}/cancel`, body);
			if (args.json) return printJson(context, reply.body);
			context.terminal.out(`${scanId} is cancelled.\n`);
		},
	});

export const redriveCommand = (context: CliContext, ended: Ended) =>
	defineCommand({
		meta: { name: "redrive", description: "Run strategies of an ended scan again, keeping the other answers" },
		args: {
			id,
			strategies: { type: "string", description: "Which; by default those that gave no full answer" },
			watch: { type: "boolean", alias: "w", description: "Follow the new scan to its end" },
			json,
		},
		async run({ args }) {
			const client = await clientOf(context);
			const scanId = await resolveId(client, args.id);
			const body = args.strategies === undefined ? {} : { strategy_ids: args.strategies };
			const reply = await client.call("POST", `/opportunities/scans/${scanId}/redrive`, body);
			if (args.json && !args.watch) return printJson(context, reply.body);
			if (!args.json) context.terminal.out(`${reply.body.scan_id}  ${harmless(String(reply.body.message))}\n`);
			if (args.watch) ended.code = await watchScan(context, client, String(reply.body.scan_id), args.json === true);
		},
	});

export const listCommand = (context: CliContext) =>
	defineCommand({
		meta: { name: "list", description: "Your scans, newest first" },
		args: {
			status: { type: "string", description: "scanning, complete, failed, cancelled" },
			strategy: { type: "string", description: "Scans in which it ran" },
			symbol: { type: "string", description: "Scans with it among rows or filters" },
			limit: { type: "string", description: "At most so many (1 to 100)", default: "20" },
			json,
		},
		async run({ args }) {
			const client = await clientOf(context);
			const query = new URLSearchParams({ limit: args.limit });
			for (const name of ["status", "strategy", "symbol"] as const) {
				const value = args[name];
				if (value !== undefined) query.set(name, value);
			}
			const { body } = await client.call("GET", `/opportunities/scans?${query}`);
			if (args.json) return printJson(context, body);
			context.terminal.out(
				table(body.scans as Json[], [
					{ title: "accepted", of: (scan) => word(scan.accepted_at).slice(0, 19).replace("T", " ") },
					{ title: "scan", of: (scan) => word(scan.scan_id) },
					{ title: "state", of: (scan) => word(scan.state) },
					{ title: "outcome", of: (scan) => word(scan.outcome) },
					{ title: "found", of: (scan) => number(scan.total_opportunities), right: true },
					{ title: "took", of: (scan) => seconds(scan.duration_ms), right: true },
					{ title: "filters", of: (scan) => JSON.stringify(scan.filters) },
				]),
			);
			if (body.has_more) context.terminal.err("There are more; see --limit.\n");
		},
	});
