import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, type Column, last, unknownColumn } from "./columns.ts";
import { SPOT_REPLAY_COST } from "./costs.ts";
import { Memo } from "./evidence/memo.ts";
import type { PlaceboPool } from "./evidence/placebo.ts";
import type { ResolvedTrade } from "./evidence/trades.ts";
import { beginsWith } from "./history.ts";
import {
	CORRELATION_MIN,
	discoveredPairs,
	FORMATION_DAYS,
	halfLifeFits,
	halvesHold,
	halvesP,
	holdDaysOf,
	type PairRule,
	stopDistanceOf,
	TRADING_DAYS,
	tabledPairs,
	Z_ENTRY,
	Z_ENTRY_MAX,
	Z_EXIT,
	Z_STOP,
	zOf,
} from "./pairs-trading-rule.ts";
import { fitPair, type Leg, legOf, type PairFit } from "./statistics/pair-fit.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** Closes of a universe on one grid of days; NaN where there is no bar. */
export interface PairPanel {
	names: string[];
	closes: Column[];
	logs: Column[];
	/** Open of day 0, epoch ms. */
	startMs: number;
	days: number;
}

/** A pair fitted on the days [start - FORMATION_DAYS, start). */
export interface Formation {
	/** Bases in alphabetical order. */
	name: string;
	y: number;
	x: number;
	start: number;
	fit: PairFit;
	/** Among the discoveries of its window. */
	discovered: boolean;
	/** Among those of the measured table. */
	tabled: boolean;
}

/** Base of a series: unified symbols begin with it. */
export const baseOf = (symbol: string): string => symbol.split("/")[0] ?? symbol;

/** Days that closed by `asOfMs`; the order of the universe does not matter. */
export function pairPanel(universe: readonly Series[], asOfMs: number): PairPanel {
	const ordered = [...universe].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0));
	const full = ordered.filter((series) => series.length > 0);
	if (full.length === 0) return { names: [], closes: [], logs: [], startMs: 0, days: 0 };
	const startMs = Math.min(...full.map((series) => at(series.open_time, 0)));
	const end = Math.max(...full.map((series) => last(series.open_time)));
	const days = Math.floor((Math.min(end, asOfMs - DAY_MS) - startMs) / DAY_MS) + 1;
	const closes = full.map((series) => {
		const column = unknownColumn(Math.max(0, days));
		for (let i = 0; i < series.length; i++) {
			const day = (at(series.open_time, i) - startMs) / DAY_MS;
			if (day < days) column[day] = at(series.close, i);
		}
		return column;
	});
	return {
		names: full.map((series) => baseOf(series.symbol)),
		closes,
		logs: closes.map((column) => column.map(Math.log)),
		startMs,
		days: Math.max(0, days),
	};
}

/** All pairs of all complete windows; trading days of successive windows do not overlap. */
export function formationsOf(panel: PairPanel): Formation[] {
	return formationsFrom(panel, FORMATION_DAYS);
}

function formationsFrom(panel: PairPanel, first: number): Formation[] {
	const found: Formation[] = [];
	for (let start = first; start + TRADING_DAYS <= panel.days; start += TRADING_DAYS) {
		found.push(...formationsAt(panel, start));
	}
	return found;
}

/** Universes whose formations are kept: some fifty numbers a pair and window. */
const PANELS_MAX = 2;
const kept = new Memo<{ panel: PairPanel; formations: Formation[] }>(PANELS_MAX);

/** The same; windows that this thread has fitted on the very days are not fitted again. */
export function keptFormations(panel: PairPanel): Formation[] {
	const key = `${panel.startMs}#${panel.names.join()}`;
	const known = kept.peek(key);
	const formations =
		known && extendsPanel(panel, known.panel)
			? [...known.formations, ...formationsFrom(panel, FORMATION_DAYS + TRADING_DAYS * windowsOf(known.panel))]
			: formationsOf(panel);
	kept.set(key, { panel, formations });
	return formations;
}

const windowsOf = ({ days }: PairPanel): number => Math.max(0, Math.floor((days - FORMATION_DAYS) / TRADING_DAYS));

/** Whether `later` is `earlier` with, at most, days added at its end; names and start agree. */
const extendsPanel = (later: PairPanel, earlier: PairPanel): boolean =>
	later.closes.every((column, i) => beginsWith(column, earlier.closes[i] ?? new Float64Array()));

function formationsAt(panel: PairPanel, start: number): Formation[] {
	const legs = panel.logs.map((log) => {
		const window = log.subarray(start - FORMATION_DAYS, start);
		return window.every((value) => !Number.isNaN(value)) ? legOf(window) : null;
	});
	const formations: Formation[] = [];
	legs.forEach((a, i) => {
		if (!a) return;
		for (let j = i + 1; j < legs.length; j++) {
			const b = legs[j];
			if (b) formations.push(formationOf(panel, start, [i, a], [j, b]));
		}
	});
	const fits = formations.map(({ fit }) => fit);
	const [found, tabled] = [discoveredPairs(fits), tabledPairs(fits)];
	formations.forEach((formation, i) => {
		formation.discovered = found[i] === true;
		formation.tabled = tabled[i] === true;
	});
	return formations;
}

function formationOf(panel: PairPanel, start: number, [i, a]: [number, Leg], [j, b]: [number, Leg]): Formation {
	const fit = fitPair(a, b);
	const name = `${panel.names[i]}-${panel.names[j]}`;
	return { name, y: fit.flipped ? j : i, x: fit.flipped ? i : j, start, fit, discovered: false, tabled: false };
}

/** The gates on the formation itself; whether it is a discovery is asked by the caller. */
export function formationHolds(panel: PairPanel, { fit, start, y, x }: Formation, rule: PairRule): boolean {
	if (!(fit.correlation >= CORRELATION_MIN && fit.slope > 0 && halfLifeFits(fit.halfLife, rule))) return false;
	const window = (i: number) => (panel.logs[i] ?? new Float64Array()).subarray(start - FORMATION_DAYS, start);
	return !rule.halves || halvesHold(halvesP(window(y), window(x)));
}

export interface PairReplay {
	trades: ResolvedTrade[];
	/** Entries on any day on which the spread is away from its mean, with the same exits. */
	placebo: PlaceboPool;
}

/**
 * Trades of one formation: both legs enter at the close after the signal and leave at
 * the close after the exit signal, at the latest on the window's last day; the day after may signal again.
 * Net of gross value: side * ((y1/y0 - 1) - b (x1/x0 - 1)) / (1 + b) - cost.
 */
export function replayFormation(panel: PairPanel, formation: Formation): PairReplay {
	const { start, fit, name } = formation;
	const end = start + TRADING_DAYS;
	const z = spreadOf(panel, formation);
	const trades: ResolvedTrade[] = [];
	const outcomes: number[] = [];
	let free = start;
	for (let t = start; t < end - 1; t++) {
		const size = Math.abs(at(z, t - start));
		if (!(size > Z_EXIT && size <= Z_ENTRY_MAX)) continue;
		const exit = exitDay(z, t - start, holdDaysOf(fit.halfLife)) + start;
		const net = netOf(panel, formation, t + 1, exit, at(z, t - start) > 0 ? -1 : 1);
		if (!(exit > t + 1) || Number.isNaN(net)) continue;
		outcomes.push(net);
		if (t < free || size < Z_ENTRY) continue;
		free = exit + 1;
		trades.push({
			symbol: name,
			signalTime: panel.startMs + t * DAY_MS,
			exitTime: panel.startMs + exit * DAY_MS,
			net,
			r: net / stopDistanceOf(fit, at(z, t - start)),
			holdBars: exit - t,
		});
	}
	return { trades, placebo: { outcomes: Float64Array.from(outcomes), entries: trades.length } };
}

/** z of each trading day. */
function spreadOf({ logs }: PairPanel, { start, fit, y, x }: Formation): Column {
	const of = (logs[y] ?? new Float64Array()).subarray(start, start + TRADING_DAYS);
	const on = (logs[x] ?? new Float64Array()).subarray(start, start + TRADING_DAYS);
	return of.map((value, t) => zOf(fit, value, at(on, t)));
}

/** Day on which a trade signalled by day t is closed. */
function exitDay(z: Column, t: number, holdDays: number): number {
	const side = at(z, t) > 0 ? -1 : 1;
	const final = z.length - 1;
	for (let u = t + 1; u < final; u++) {
		const now = at(z, u);
		if (side * now >= -Z_EXIT || Math.abs(now) > Z_STOP || u - t > holdDays) return u + 1;
	}
	return final;
}

function netOf({ closes }: PairPanel, { fit, y, x }: Formation, entry: number, exit: number, side: 1 | -1): number {
	const gain = (i: number) => {
		const column = closes[i] ?? new Float64Array();
		return at(column, exit) / at(column, entry) - 1;
	};
	return (side * (gain(y) - fit.slope * gain(x))) / (1 + fit.slope) - SPOT_REPLAY_COST;
}
