import type { Observation } from "./clients.ts";
import type { FaultPlan, Profile } from "./faults.ts";
import type { History } from "./history.ts";
import type { Mutant } from "./mutants.ts";
import type { SimulatedServer } from "./server.ts";
import type { Shadows, Violation } from "./shadow.ts";

/** What a simulation is asked for and what it leaves. */
export interface SimulationOptions {
	profile?: Profile;
	mutant?: Mutant;
	/** One scan of one client, and a worker that dies at its nth store call of some kind. */
	crash?: CrashPoint;
	/** The first process for which this script takes effect stands still before it hears of it. */
	standstill?: { script: string; forMs: number };
	/** Clients that only start, poll and cancel. */
	plain?: boolean;
	/** Stops at the first violation; without it all of them are collected. */
	failFast?: boolean;
}

export interface CrashPoint {
	/** Only commits, or every command that a worker sends. */
	at: "commit" | "call";
	/** From 1; 0: nothing dies. */
	nth: number;
	/** Dies before the command is sent, or when it has taken effect and before the reply. */
	when: "before" | "after";
}

export interface SimulationResult {
	/** Calls of the kind that a crash point counts. */
	crashCalls: number;
	seed: number;
	plan: FaultPlan;
	violations: Violation[];
	history: History;
	observations: Observation[];
	shadows: Shadows;
	/** When a scan first took its user's claim. */
	decidedMs: ReadonlyMap<string, number>;
	/** By filter set: what its scans find when nothing goes wrong (outcome.ts), as JSON. */
	undisturbed: ReadonlyMap<string, string>;
	server: SimulatedServer;
	/** How the scheduler came to its end. */
	end: string;
	tasks: number;
	simulatedMs: number;
}

/** Any moment will do; a fixed one makes histories comparable. */
export const START_MS = Date.UTC(2026, 2, 19, 19);
