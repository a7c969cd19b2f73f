import { CandlestickSeries, ColorType, createChart, LineStyle, type UTCTimestamp } from "lightweight-charts";
import type { Candle, Level } from "./price-chart.ts";

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draws bars with their levels into `box`; returns what takes the chart away again. */
export function drawCandles(box: HTMLElement, candles: readonly Candle[], levels: readonly Level[]): () => void {
	const line = colour("--line");
	const chart = createChart(box, {
		autoSize: true,
		layout: { background: { type: ColorType.Solid, color: colour("--card") }, textColor: colour("--text") },
		grid: { vertLines: { color: line }, horzLines: { color: line } },
		rightPriceScale: { borderColor: line },
		timeScale: { borderColor: line, timeVisible: true },
		// The page scrolls with the wheel and the finger; the chart is moved by dragging.
		handleScroll: { mouseWheel: false, vertTouchDrag: false },
		handleScale: { mouseWheel: false },
	});
	const [good, bad] = [colour("--good"), colour("--bad")];
	const prices = levels.map((level) => level.price);
	const last = candles.at(-1)?.close ?? 1;
	const decimals = Math.max(2, Math.min(10, 4 - Math.floor(Math.log10(Math.abs(last) || 1))));
	const series = chart.addSeries(CandlestickSeries, {
		upColor: good,
		downColor: bad,
		wickUpColor: good,
		wickDownColor: bad,
		borderVisible: false,
		// The last close is the entry as a rule; two labels on one place hide each other.
		lastValueVisible: false,
		priceLineVisible: false,
		priceFormat: { type: "price", precision: decimals, minMove: 10 ** -decimals },
		// Target and stop belong into the picture although the price has not been there yet.
		autoscaleInfoProvider: (original: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
			const range = original()?.priceRange;
			if (!range) return original();
			const values = [range.minValue, range.maxValue, ...prices];
			return { priceRange: { minValue: Math.min(...values), maxValue: Math.max(...values) } };
		},
	});
	series.setData(
		candles.map(({ at, open, high, low, close }) => ({
			time: (Date.parse(at) / 1000) as UTCTimestamp,
			open,
			high,
			low,
			close,
		})),
	);
	const colours = { entry: colour("--accent"), target: good, stop: bad };
	for (const { name, price } of levels) {
		series.createPriceLine({
			price,
			title: name,
			color: colours[name],
			lineWidth: 2,
			lineStyle: name === "entry" ? LineStyle.Solid : LineStyle.Dashed,
			axisLabelVisible: true,
		});
	}
	chart.timeScale().fitContent();
	return () => chart.remove();
}
