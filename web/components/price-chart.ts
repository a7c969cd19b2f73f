import { get, type Json } from "../lib/api.ts";
import { number, price } from "../lib/format.ts";
import { html, useEffect, useRef } from "../lib/html.ts";
import { useLoad } from "../lib/load.ts";
import { isDark } from "../lib/theme.ts";
import { Term } from "./term.ts";

export interface Level {
	name: "entry" | "target" | "stop";
	price: number;
}

export interface Candle {
	at: string;
	open: number;
	high: number;
	low: number;
	close: number;
	volume: number;
}

/** Levels of a row, the highest first. */
function levelsOf(row: Json): Level[] {
	const all: [Level["name"], unknown][] = [
		["target", row.target_price],
		["entry", row.entry_price],
		["stop", row.stop_price],
	];
	return all
		.flatMap(([name, value]) => (typeof value === "number" ? [{ name, price: value }] : []))
		.sort((a, b) => b.price - a.price);
}

/** Strategies that look at minutes; all others look at days. */
const MINUTES = new Set(["ai_market_making", "ai_scalping_strategy"]);

/** Entry, target and stop over the bars that the scan saw; without bars the levels alone, never made-up bars. */
export function PriceChart({ row, scanId }: { row: Json; scanId: string }) {
	const levels = levelsOf(row);
	const single = String(row.symbol).includes("/");
	const timeframe = MINUTES.has(row.strategy_id) ? "5m" : "1d";
	const bars = useLoad(`${scanId} ${row.symbol} ${row.exchange} ${timeframe}`, async (signal) => {
		if (!single) return null;
		const query = new URLSearchParams({ symbol: row.symbol, exchange: row.exchange, timeframe });
		return (await get(`/opportunities/scans/${encodeURIComponent(scanId)}/candles?${query}`, { signal })).body;
	});
	const candles: Candle[] = bars.value?.candles ?? [];
	const why = !single
		? "This row stands for several markets together, so there is no single price to draw."
		: bars.error
			? `The bars could not be read: ${bars.error.message}`
			: bars.value?.unavailable;
	return html`
		${levels.length === 0 && html`<p class="muted">This row has no entry, target or stop.</p>`}
		${
			candles.length > 0
				? html`<${Candles} candles=${candles} levels=${levels} label=${`${row.symbol}, ${candles.length} bars of ${timeframe}`} />
					<p class="muted flat">${candles.length} bars of ${timeframe} up to the moment of the scan, from ${bars.value?.source}.</p>`
				: levels.length > 0 && html`<${Ladder} levels=${levels} />`
		}
		${bars.loading && single && html`<p class="muted" role="status">Reading the bars…</p>`}
		${!bars.loading && candles.length === 0 && why && html`<p class="muted">${why}</p>`}
		${levels.length > 0 && html`<${Legend} levels=${levels} entry=${row.entry_price} />`}
	`;
}

function Legend({ levels, entry }: { levels: Level[]; entry: unknown }) {
	const away = ({ price: at }: Level) => (typeof entry === "number" && at !== entry ? 100 * (at / entry - 1) : null);
	return html`<ul class="legend">
		${levels.map((level) => {
			const distance = away(level);
			return html`<li class=${level.name}>
				<${Term} of=${level.name} /> ${price(level.price)}
				${distance !== null && html`<span class="muted"> (${distance > 0 ? "+" : ""}${number(distance, 1)} %)</span>`}
			</li>`;
		})}
	</ul>`;
}

function Ladder({ levels }: { levels: Level[] }) {
	const high = levels[0]?.price ?? 1;
	const low = levels.at(-1)?.price ?? 0;
	const words = levels.map(({ name, price: at }) => `${name} ${price(at)}`).join(", ");
	return html`<div class="ladder" role="img" aria-label=${`Prices from high to low: ${words}`}>
		${levels.map(({ name, price: at }) => {
			const top = high === low ? 50 : 10 + (80 * (high - at)) / (high - low);
			return html`<div class=${`level ${name}`} style=${{ top: `${top}%` }} aria-hidden="true"><span>${name} ${price(at)}</span></div>`;
		})}
	</div>`;
}

/** The chart library is large and comes only when there is something to draw. */
function Candles({ candles, levels, label }: { candles: Candle[]; levels: Level[]; label: string }) {
	const box = useRef<HTMLDivElement>(null);
	const dark = isDark.value;
	useEffect(() => {
		let gone = false;
		let remove = () => {};
		void import("./candle-chart.ts").then(({ drawCandles }) => {
			if (!gone && box.current) remove = drawCandles(box.current, candles, levels);
		});
		return () => {
			gone = true;
			remove();
		};
	}, [candles, dark]);
	return html`<div class="chart" ref=${box} role="group" aria-label=${`Price chart of ${label}`}></div>`;
}
