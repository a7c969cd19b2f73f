import { createActor } from "xstate";
import type { JournalType, ScanEvent } from "../../machines/events.ts";
import { scanMachine } from "../../machines/scan.ts";
import type { Entry } from "../../machines/scan-rules.ts";
import type { ScanContext, ScanInput, ScanPosition } from "../../machines/types.ts";
import { subjectOf } from "../store/journal-codec.ts";
import type { Deadlines } from "../store/scan-codec.ts";
import type { NewEntry } from "../store/write-contract.ts";

/**
 * The pure host of `scan.v1` and the only caller of XState's transition functions: an event in, the next
 * state, journal entries and armed deadlines out. It executes nothing.
 */
export const MACHINE_ID = scanMachine.id;

const REACHED = Symbol("snapshot");

export interface HostState {
	readonly position: ScanPosition;
	readonly context: ScanContext;
	readonly ended: boolean;
	/** Armed delayed raises as absolute times on the store's clock. */
	readonly deadlines: Deadlines;
	/** XState's form of position and context, so that the next event need not resolve it again; a restored state has none. */
	readonly [REACHED]?: Snapshot;
}

export interface HostStep {
	state: HostState;
	entries: NewEntry[];
}

type Snapshot = ReturnType<typeof scanMachine.getInitialSnapshot>;
type Action = { type: string; params?: unknown };

export function begin(input: ScanInput): HostStep {
	const actions: Action[] = [];
	const snapshot = scanMachine.getInitialSnapshot(scopeFor(actions), input);
	return interpret(snapshot, actions, {}, "queued");
}

/** Null when the event means nothing in this state: late, repeated or stale. */
export function step(state: HostState, event: ScanEvent): HostStep | null {
	if (state.ended) return null;
	const held = snapshotOf(state);
	const actions: Action[] = [];
	const next = scanMachine.transition(held, event, scopeFor(actions));
	if (next === held) return null;
	return interpret(next, actions, state.deadlines, state.position);
}

/**
 * What XState's `transition` makes anew for every event, an actor and its system that nothing is ever done with, made
 * once: it costs a fifth of a transition. Nothing in it is changed by one.
 */
const self = createActor(scanMachine, { input: undefined as never });
const nothing = () => {};

/** Each member by name: an object that is spread into another one gets a hidden class of its own every time. */
const scopeFor = (actions: Action[]) => ({
	self,
	system: self.system,
	id: "",
	sessionId: "",
	defer: nothing,
	logger: nothing,
	stopChild: nothing,
	emit: nothing,
	actionExecutor: (action: Action) => void actions.push(action),
});

const snapshotOf = ({ [REACHED]: held, position, context }: HostState): Snapshot =>
	held !== undefined && held.context === context && held.value === position
		? held
		: (scanMachine.resolveState({ value: position, context } as never) as Snapshot);

function interpret(snapshot: Snapshot, actions: readonly Action[], held: Deadlines, from: ScanPosition): HostStep {
	const context = snapshot.context;
	const ended = snapshot.status === "done";
	const position = snapshot.value as ScanPosition;
	const entries: NewEntry[] = [];
	let deadlines = held;
	let phase = from;
	const write = (type: JournalType, payload: Record<string, unknown>) => {
		if (typeof payload.phase === "string") phase = payload.phase as ScanPosition;
		entries.push(entryOf(type, phase, payload, context.now_ms));
	};
	for (const { type, params } of actions) {
		if (type === "journal") {
			for (const entry of (params as { entries: Entry[] }).entries) write(entry.type, entry.params);
		} else if (type === "scan.created") {
			write(type, params as Record<string, unknown>);
		} else if (type === "xstate.raise") {
			const { id, delay, event } = params as { id: string; delay?: number; event: ScanEvent };
			if (delay !== undefined) deadlines = { ...deadlines, [id]: { at_ms: context.now_ms + delay, event } };
		} else if (type === "xstate.cancel") {
			deadlines = without(deadlines, (params as { sendId: string }).sendId);
		}
	}
	return { state: { position, context, ended, deadlines: ended ? {} : deadlines, [REACHED]: snapshot }, entries };
}

const entryOf = (
	type: JournalType,
	phase: ScanPosition,
	payload: Record<string, unknown>,
	at_ms: number,
): NewEntry => ({
	type,
	phase,
	...subjectOf(payload),
	at_ms,
	payload,
});

const without = (deadlines: Deadlines, id: string): Deadlines => {
	if (!(id in deadlines)) return deadlines;
	const { [id]: _fired, ...rest } = deadlines;
	return rest;
};

/** The earliest deadline at or before `nowMs`, taken off the state; null when none is due. */
export function takeDue(state: HostState, nowMs: number): { state: HostState; event: ScanEvent } | null {
	let due: [id: string, at: number] | null = null;
	for (const [id, { at_ms }] of Object.entries(state.deadlines)) {
		if (at_ms <= nowMs && (due === null || at_ms < due[1])) due = [id, at_ms];
	}
	if (!due) return null;
	const event = state.deadlines[due[0]]?.event as ScanEvent;
	return { state: { ...state, deadlines: without(state.deadlines, due[0]) }, event };
}

export function nextDeadlineMs(state: HostState): number | null {
	const times = Object.values(state.deadlines).map(({ at_ms }) => at_ms);
	return times.length === 0 ? null : Math.min(...times);
}
