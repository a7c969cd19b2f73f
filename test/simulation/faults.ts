import type { Dice } from "./random.ts";

/**
 * What goes wrong in one simulation. Every probability is per call; every fault lies before `healAtMs`, so
 * that a run can say what has to hold when the trouble is over.
 */
export interface FaultPlan {
	profile: Profile;
	/** From here on (simulated ms since the start) nothing goes wrong any more. */
	healAtMs: number;
	store: StoreOdds;
	news: { lost: number; twice: number };
	market: { error: number; hang: number; slow: number };
	queue: { lost: number; twice: number };
	/** Odds that a process which comes up runs scans that it has started past the queue. */
	pastQueue: number;
	/** Processes that die and come back. */
	crashes: number;
	/** Processes that stand still for longer than a lease and wake up. */
	freezes: number;
	/** Times in which one process and the store do not reach each other. */
	partitions: number;
	/** Share of scans that their user cancels. */
	cancels: number;
	/** Local clocks are apart by up to this, ms. */
	skewMs: number;
	/** How long ended scans are kept. In short ones readers come back until after that. */
	retentionMs: number;
}

export const PROFILES = [
	"calm",
	"crashes",
	"freezes",
	"store",
	"lying",
	"market",
	"hangs",
	"slow",
	"partitions",
	"jobs",
	"everything",
] as const;
export type Profile = (typeof PROFILES)[number];

/** How a call of the store may end other than well. */
export interface StoreOdds {
	/** Refused before it was sent. */
	error: number;
	/** Never arrives; the caller waits for its time limit. */
	lost: number;
	/** Carried out, but the connection broke before the reply: the caller sees an error. */
	unanswered: number;
	/** The connection broke and the client sent it again: carried out twice. */
	twice: number;
	/** The caller was told that it failed; carried out seconds afterwards, out of order. */
	late: number;
	/** Carried out and answered, but slowly. */
	slow: number;
}

export const NO_STORE_FAULTS: StoreOdds = { error: 0, lost: 0, unanswered: 0, twice: 0, late: 0, slow: 0 };

/** Outlives every run. */
export const LONG_RETENTION_MS = 3_600_000;

const CALM: Omit<FaultPlan, "profile" | "healAtMs"> = {
	store: NO_STORE_FAULTS,
	news: { lost: 0, twice: 0 },
	market: { error: 0, hang: 0, slow: 0 },
	queue: { lost: 0, twice: 0 },
	pastQueue: 0.6,
	crashes: 0,
	freezes: 0,
	partitions: 0,
	cancels: 0.15,
	skewMs: 5_000,
	retentionMs: LONG_RETENTION_MS,
};

/** Longer than a recent result is given again and than any trouble lasts, and short enough to end within a run. */
const SHORT_RETENTION_MS = 45_000;

/** The plan of a seed: which profile, and how hard it hits. */
export function faultPlan(dice: Dice, profile: Profile = dice.pick(PROFILES)): FaultPlan {
	const isShort = dice.fork("retention").chance(0.35);
	return { ...troubleOf(dice, profile), ...(isShort ? { retentionMs: SHORT_RETENTION_MS } : {}) };
}

function troubleOf(dice: Dice, profile: Profile): FaultPlan {
	const hard = dice.pick([0.2, 1, 1, 3]);
	const odds = (most: number) => Math.min(0.3, dice.next() * most * hard);
	const base = { ...CALM, profile, healAtMs: dice.between(6_000, 40_000) };
	const store = { ...NO_STORE_FAULTS, error: odds(0.05), lost: odds(0.01), slow: odds(0.05) };
	const lying = { ...NO_STORE_FAULTS, unanswered: odds(0.05), twice: odds(0.05), late: odds(0.02) };
	const market = { error: odds(0.1), hang: odds(0.05), slow: odds(0.1) };
	switch (profile) {
		case "calm":
			return { ...base, healAtMs: 0 };
		case "crashes":
			return { ...base, crashes: 1 + dice.below(4) };
		case "freezes":
			return { ...base, freezes: 1 + dice.below(4) };
		case "store":
			return { ...base, store };
		case "lying":
			return { ...base, store: lying, news: { lost: odds(0.3), twice: odds(0.3) } };
		case "market":
			return { ...base, market };
		case "hangs":
			// Sources that never answer, in the hands of workers that die: only deadlines can end that.
			return {
				...base,
				healAtMs: dice.between(10_000, 18_000),
				market: { ...market, hang: 0.7 },
				crashes: 3 + dice.below(3),
			};
		case "slow":
			// No news and long ways: commands of several processes about one scan lie between each other.
			return { ...base, store: { ...NO_STORE_FAULTS, slow: 0.15 }, news: { lost: 1, twice: 0 }, cancels: 0.8 };
		case "partitions":
			return { ...base, partitions: 1 + dice.below(4), news: { lost: odds(0.3), twice: 0 } };
		case "jobs":
			// The queue hands every job out twice, and ways are long: several workers meet at one scan.
			return { ...base, store: { ...NO_STORE_FAULTS, slow: 0.15 }, queue: { lost: 0, twice: 1 }, pastQueue: 0 };
		case "everything":
			return {
				...base,
				store: { ...store, unanswered: lying.unanswered, twice: lying.twice, late: lying.late },
				news: { lost: odds(0.3), twice: odds(0.3) },
				market,
				queue: { lost: odds(0.3), twice: odds(0.3) },
				crashes: dice.below(4),
				freezes: dice.below(3),
				partitions: dice.below(3),
			};
	}
}

/** Rolls how a call ends; the odds are taken one after the other. */
export function rollStore(dice: Dice, odds: StoreOdds): keyof StoreOdds | null {
	let roll = dice.next();
	for (const kind of ["error", "lost", "unanswered", "twice", "late", "slow"] as const) {
		if (roll < odds[kind]) return kind;
		roll -= odds[kind];
	}
	return null;
}
