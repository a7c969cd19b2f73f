import { wilsonInterval } from "../../src/strategies/evidence/intervals.ts";
import type { Calibrated } from "./collect.ts";

const PANEL = 240;
const MARGIN = 44;
const COLUMNS = 3;
const CELL_WIDTH = PANEL + MARGIN + 16;
const CELL_HEIGHT = PANEL + MARGIN + 50;
const HEADER = 36;
const INK = "#1f2933";
const FAINT = "#cbd2d9";
const MARK = "#0b69a3";
const CURVE = "#c05621";

const escaped = (text: string): string =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const round = (value: number): string => String(Math.round(value * 10) / 10);
const label = (x: number, y: number, text: string, extra = ""): string =>
	`<text x="${round(x)}" y="${round(y)}" ${extra}>${escaped(text)}</text>`;

/** Stated against observed rates, a panel a record: the nearer to the diagonal, the truer. */
export function reliabilitySvg(title: string, all: readonly Calibrated[]): string {
	const records = all.filter(({ reliability }) => reliability.scored > 0);
	const width = COLUMNS * CELL_WIDTH + 16;
	const height = HEADER + Math.max(1, Math.ceil(records.length / COLUMNS)) * CELL_HEIGHT;
	const panels = records.map((record, i) => {
		const [x, y] = [(i % COLUMNS) * CELL_WIDTH + MARGIN, HEADER + Math.floor(i / COLUMNS) * CELL_HEIGHT + 42];
		return `<g transform="translate(${x} ${y})">${panel(record)}</g>`;
	});
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="10" fill="${INK}">`,
		`<title>${escaped(title)}</title>`,
		`<rect width="${width}" height="${height}" fill="#ffffff"/>`,
		label(16, 24, title, 'font-size="14" font-weight="bold"'),
		...panels,
		"</svg>\n",
	].join("\n");
}

/** The isotonic recalibration as a staircase: what each stated probability came to, without a choice of bins. */
function isotonicPath(curve: readonly { from: number; to: number; observed: number }[]): string {
	if (curve.length === 0) return "";
	const corners = curve.flatMap(({ from, to, observed }) => {
		const y = round((1 - observed) * PANEL);
		return [`${round(from * PANEL)} ${y}`, `${round(to * PANEL)} ${y}`];
	});
	return `<path d="M${corners.join("L")}" stroke="${CURVE}" fill="none" stroke-width="1.5"/>`;
}

function panel({ strategy, part, reliability }: Calibrated): string {
	const { bins, scored, brier, ece, recalibration } = reliability;
	const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((tick) => {
		const [x, y] = [tick * PANEL, (1 - tick) * PANEL];
		return [
			`<path d="M${round(x)} 0V${PANEL}M0 ${round(y)}H${PANEL}" stroke="${FAINT}" fill="none" stroke-width="0.5"/>`,
			label(x, PANEL + 12, `${100 * tick}`, 'text-anchor="middle"'),
			label(-6, y + 3, `${100 * tick}`, 'text-anchor="end"'),
		];
	});
	const largest = Math.max(1, ...bins.map(({ n }) => n));
	const points = bins.map(({ n, predicted, observed }) => {
		const [low, high] = wilsonInterval(observed, n);
		const [x, y] = [predicted * PANEL, (1 - observed) * PANEL];
		return [
			`<path d="M${round(x)} ${round((1 - low) * PANEL)}V${round((1 - high) * PANEL)}" stroke="${MARK}" stroke-width="1"/>`,
			`<circle cx="${round(x)}" cy="${round(y)}" r="${round(2 + 5 * Math.sqrt(n / largest))}" fill="${MARK}" fill-opacity="0.7"><title>${n} forecasts</title></circle>`,
		].join("");
	});
	const figures = `n ${scored}, Brier ${brier?.toFixed(4) ?? "-"}, ECE ${ece?.toFixed(3) ?? "-"}`;
	return [
		label(0, -30, strategy, 'font-weight="bold"'),
		label(0, -18, part),
		label(0, -6, figures),
		...ticks,
		`<path d="M0 ${PANEL}L${PANEL} 0" stroke="${INK}" stroke-dasharray="4 3" stroke-width="1"/>`,
		isotonicPath(recalibration?.curve ?? []),
		...points,
		label(PANEL / 2, PANEL + 26, "stated probability, %", 'text-anchor="middle"'),
		label(-32, PANEL / 2, "observed, %", `text-anchor="middle" transform="rotate(-90 -32 ${PANEL / 2})"`),
	].join("\n");
}
