import { alone, around, type Dimension, type Growing } from "./dimension.ts";
import { ofLoad } from "./load.ts";
import { USUAL } from "./shape.ts";

const ofOneScan = (growing: Growing) =>
	({
		start: growing,
		commit: growing,
		"whole scan": growing,
		"status, first": growing,
		"results, first": growing,
		lifecycle: growing,
		debug: growing,
		"state then": growing,
		"status over HTTP": growing,
		"results over HTTP": growing,
		"all events over HTTP": growing,
	}) as const;

const OF_ALL_USERS = {
	start: "constant",
	"end of a scan": "constant",
	"status, first": "constant",
	"status, again": "constant",
	"results, first": "constant",
	"list of scans": "constant",
	history: "constant",
	"metrics of a user": "constant",
	metrics: "constant",
	journal: "constant",
	lifecycle: "constant",
	"stuck scans": "constant",
	"watchdog pass": "constant",
	"purge of 50": "constant",
	"start over HTTP": "constant",
	"status over HTTP": "constant",
	"results over HTTP": "constant",
	"list over HTTP": "constant",
	"history over HTTP": "constant",
	"all events over HTTP": "constant",
	"recovery of a lost scan": "constant",
} as const;

/** @param all how what passes over all of a user's scans may grow with them. */
const ofOneUser = (all: Growing) =>
	({
		start: "constant",
		"end of a scan": "constant",
		"status of latest": "constant",
		"list of scans": "constant",
		"metrics of a user": "constant",
		"start over HTTP": "constant",
		"status over HTTP": "constant",
		"list over HTTP": "constant",
		"list, nothing fits": all,
		history: all,
		"history over HTTP": all,
	}) as const;

const ofScans = (): Dimension[] => [
	{
		name: "strategies of a scan",
		sizes: [14, 56, 224],
		operations: { ...ofOneScan("linear"), "status, again": "constant", "results, again": "constant" },
		grow: (stage, _, strategies) => alone(stage, { ...USUAL, strategies }),
	},
	{
		name: "rows of a scan",
		sizes: [50, 200, 800],
		operations: {
			...ofOneScan("linear"),
			start: "constant",
			"status, again": "constant",
			"results, again": "linear",
			journal: "linear",
		},
		grow: (stage, _, rows) => alone(stage, { ...USUAL, rows }),
	},
	{
		name: "rows of a scan, four to a report",
		sizes: [56, 224, 896],
		operations: { "whole scan": "linear", journal: "linear", "state then": "linear" },
		grow: (stage, _, rows) => alone(stage, { ...USUAL, rows, reports: rows / (USUAL.strategies * 4) + 1 }),
	},
];

const ofUsers = (kept: readonly number[]): Dimension[] => [
	{
		name: "a user's retained scans",
		sizes: [125, 500, 2_000],
		operations: ofOneUser("linear"),
		grow: around((_, loader, added, { user }) => loader.finishedOf(user, added)),
	},
	{
		name: "a user's expired scans",
		sizes: [1_000, 4_000, 16_000],
		operations: ofOneUser("constant"),
		grow: around((_, loader, added, { user }) => loader.expiredOf(user, added)),
	},
	{
		name: "users, a scan each",
		sizes: [1_000, 4_000, 16_000],
		operations: OF_ALL_USERS,
		grow: around((_, loader, added) => loader.finished(added, added)),
	},
	{
		name: "finished scans kept",
		sizes: kept,
		operations: OF_ALL_USERS,
		grow: around((_, loader, added) => loader.finished(added, 10_000)),
	},
];

/** @param keptMost finished scans that fit into memory. */
export function dimensions(keptMost: number): Dimension[] {
	const kept = [15_625, 62_500, 250_000, 1_000_000].filter((size) => size <= keptMost);
	return [...ofScans(), ...ofLoad(), ...ofUsers(kept)];
}
