import type { JournalEvent } from "../../lib/events.ts";
import { words } from "../../lib/format.ts";

export const PARTIES = ["Client", "Worker", "Scan", "Effects", "Strategies"] as const;
type Party = (typeof PARTIES)[number];

/** One message of a scan, as a journal entry tells it. */
export interface Message {
	seq: number;
	at: string;
	from: Party;
	to: Party;
	text: string;
}

/** Phases whose start asks for work outside the machine. */
const EFFECT_OF: Record<string, string> = {
	portfolio_fetch: "fetch the portfolio",
	asset_discovery: "discover assets",
	ranking: "rank opportunities",
};

type Route = readonly [Party, Party, (entry: JournalEvent, name: string) => string];

const ROUTES: Record<string, Route> = {
	"scan.created": ["Client", "Scan", () => "start"],
	"scan.claimed": ["Worker", "Scan", ({ payload }) => `claimed by ${payload.worker_id}`],
	"scan.resumed": ["Worker", "Scan", ({ payload }) => `resumed by ${payload.worker_id}`],
	"phase.started": ["Scan", "Effects", ({ payload }) => EFFECT_OF[String(payload.phase)] ?? ""],
	"phase.failed": ["Effects", "Scan", ({ payload }) => `${words(payload.phase)} failed: ${payload.error}`],
	"portfolio.fetched": ["Effects", "Scan", ({ payload }) => `portfolio: ${payload.positions} positions`],
	"assets.discovered": ["Effects", "Scan", ({ payload }) => `${payload.total_assets} assets`],
	"strategy.started": ["Scan", "Strategies", ({ attempt }, name) => `evaluate ${name}, attempt ${attempt}`],
	"strategy.row_found": ["Strategies", "Scan", ({ payload }, name) => `${name} found ${symbolOf(payload)}`],
	"strategy.retried": ["Strategies", "Scan", ({ payload }, name) => `${name} will be retried: ${payload.cause?.code}`],
	"strategy.settled": ["Strategies", "Scan", ({ payload }, name) => `${name}: ${words(payload.verdict)}`],
	"ranking.completed": ["Effects", "Scan", ({ payload }) => `${payload.ranked_count} ranked`],
	"scan.cancel_requested": ["Client", "Scan", ({ payload }) => `cancel, ${words(payload.reason)}`],
	"scan.completed": ["Scan", "Client", ({ payload }) => `complete: ${words(payload.outcome)}`],
	"scan.failed": ["Scan", "Client", ({ payload }) => `failed: ${payload.error?.code ?? ""}`],
	"scan.cancelled": ["Scan", "Client", ({ payload }) => `cancelled: ${words(payload.reason)}`],
};

const symbolOf = (payload: JournalEvent["payload"]): string =>
	String(payload.opportunity?.symbol ?? payload.opportunity_id ?? "a row");

/** Messages in their order; entries that stay inside the machine are none. */
export function messagesOf(entries: readonly JournalEvent[], names: ReadonlyMap<string, string>): Message[] {
	return entries.flatMap((entry) => {
		const route = Object.hasOwn(ROUTES, entry.type) ? ROUTES[entry.type] : undefined;
		if (!route) return [];
		const [from, to, say] = route;
		const text = say(entry, names.get(entry.strategy_id ?? "") ?? entry.strategy_id ?? "");
		return text === "" ? [] : [{ seq: entry.seq, at: entry.at, from, to, text }];
	});
}
