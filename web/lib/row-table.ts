import type { Json } from "./json.ts";
import type { TERMS } from "./terms.ts";

/** What the table of rows sorts and filters by; apart from its looks, so that it can be tested without a page. */
export interface Column {
	id: string;
	title: string;
	term?: keyof typeof TERMS;
	right?: boolean;
	/** What is sorted by; null goes last. */
	value(row: Json): string | number | null;
}

const RISKS = ["low", "medium", "high", "very_high"];

export const COLUMNS: readonly Column[] = [
	{ id: "symbol", title: "Symbol", value: (row) => row.symbol },
	{ id: "side", title: "Side", value: (row) => row.side },
	{ id: "strategy", title: "Strategy", value: (row) => row.strategy_name },
	{ id: "confidence", title: "Chance", term: "confidence", right: true, value: (row) => row.confidence_score },
	{ id: "profit", title: "Profit", term: "profit", right: true, value: (row) => row.profit_potential_usd },
	{ id: "capital", title: "Capital", term: "capital", right: true, value: (row) => row.required_capital_usd },
	{ id: "entry", title: "Entry", term: "entry", right: true, value: (row) => row.entry_price },
	{ id: "target", title: "Target", term: "target", right: true, value: (row) => row.target_price },
	{ id: "stop", title: "Stop", term: "stop", right: true, value: (row) => row.stop_price },
	{ id: "ratio", title: "R:R", term: "reward_risk", right: true, value: (row) => row.risk_reward_ratio },
	{ id: "time", title: "Time", value: (row) => row.estimated_timeframe },
	{ id: "risk", title: "Risk", term: "risk", value: (row) => RISKS.indexOf(row.risk_level) },
	{ id: "grade", title: "Grade", term: "grade", value: (row) => row.evidence.grade },
];

export interface TableWish {
	text: string;
	side: string;
	risk: string;
	grade: string;
	/** Column id, `-` before it for the other direction; empty: as ranked. */
	sort: string;
}

export const NO_WISH: TableWish = { text: "", side: "", risk: "", grade: "", sort: "" };

function matches(row: Json, { text, side, risk, grade }: TableWish): boolean {
	if (side && row.side !== side) return false;
	if (risk && row.risk_level !== risk) return false;
	if (grade && row.evidence.grade !== grade) return false;
	if (!text) return true;
	const all = `${row.symbol} ${row.strategy_name} ${row.opportunity_type} ${row.exchange}`.toLowerCase();
	return text
		.toLowerCase()
		.split(/\s+/)
		.every((word) => all.includes(word));
}

function compare(a: string | number | null, b: string | number | null): number {
	if (typeof a === "number" && typeof b === "number") return a - b;
	return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** Rows that pass, in the order asked; the given order decides between equals, and unknown values stand last. */
export function arranged(rows: readonly Json[], wish: TableWish): Json[] {
	const kept = rows.filter((row) => matches(row, wish));
	const down = wish.sort.startsWith("-");
	const column = COLUMNS.find(({ id }) => id === (down ? wish.sort.slice(1) : wish.sort));
	if (!column) return kept;
	return kept
		.map((row) => ({ row, value: column.value(row) }))
		.sort((a, b) => {
			if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
			return down ? compare(b.value, a.value) : compare(a.value, b.value);
		})
		.map(({ row }) => row);
}
