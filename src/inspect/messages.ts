import type { ScanEvent } from "../../machines/events.ts";
import { scanMachine } from "../../machines/scan.ts";
import { strategyMachine } from "../../machines/strategy.ts";
import type { ScanContext, ScanPosition, StrategyEntry } from "../../machines/types.ts";

/** Version of the protocol that Stately's inspector (@statelyai/inspect) speaks over a WebSocket. */
const PROTOCOL_VERSION = "0.7.1";

interface InspectedSnapshot {
	status: "active" | "done";
	value: string;
	context: object;
	children: object;
}

interface MessageBase {
	sessionId: string;
	rootId: string;
	/** Epoch ms as text. */
	createdAt: string;
	id: null;
	_version: string;
}

type ShownEvent = { type: string } & Record<string, unknown>;

/** XState's inspection events in their serialised form. */
export type InspectionMessage = MessageBase &
	(
		| {
				type: "@xstate.actor";
				name: string;
				parentId: string | undefined;
				/** The machine's definition as JSON text. */
				definition: string;
				snapshot: InspectedSnapshot;
		  }
		| { type: "@xstate.event"; sourceId: string | undefined; event: ShownEvent }
		| { type: "@xstate.snapshot"; event: ShownEvent; snapshot: InspectedSnapshot }
	);

/** A scan as the machine left it. */
export interface ScanState {
	position: ScanPosition;
	context: ScanContext;
	ended: boolean;
}

/** JSON leaves code out; guards, actions and delays stand there by their names. */
const definitionOf = (machine: { config: unknown }): string => JSON.stringify(machine.config);

const SCAN_DEFINITION = definitionOf(scanMachine);
const STRATEGY_DEFINITION = definitionOf(strategyMachine);

/** Member by member, so that nothing new is shown unasked: no user, portfolio, filter, symbol, row or free text. */
export function shownEvent(event: ScanEvent): ShownEvent {
	const { type, at_ms } = event;
	if (type === "strategies.reported")
		return {
			type,
			at_ms,
			reports: event.reports.map(({ strategy_id, attempt, kind }) => ({ strategy_id, attempt, kind })),
		};
	if (type === "scan.claimed") return { type, at_ms, worker_id: event.worker_id };
	if (type === "scan.resumed") return { type, at_ms, worker_id: event.worker_id, lost_lease: event.lost_lease };
	if (type === "scan.cancel_requested") return { type, at_ms, reason: event.reason };
	if (type === "scan.abandoned") return { type, at_ms, code: event.code };
	if (type === "assets.discovered") return { type, at_ms, total_assets: event.assets.total_assets };
	if ("error" in event) return { type, at_ms, error: { code: event.error.code, retryable: event.error.retryable } };
	return { type, at_ms };
}

const shownStrategy = ({ tally, error, ...entry }: StrategyEntry) => ({
	strategy_id: entry.strategy_id,
	state: entry.state,
	attempt: entry.attempt,
	failures: entry.failures,
	started_at_ms: entry.started_at_ms,
	ended_at_ms: entry.ended_at_ms,
	deadline_at_ms: entry.deadline_at_ms,
	retry_at_ms: entry.retry_at_ms,
	verdict: entry.verdict,
	error: error?.code ?? null,
	evaluated: tally.evaluated,
	published: tally.row_ids.length,
	unproven: tally.unproven_ids.length,
});

function scanSnapshot({ position, context, ended }: ScanState): InspectedSnapshot {
	const { input, assets, ranking, end } = context;
	const shown = {
		scan_id: input.scan_id,
		accepted_at_ms: input.accepted_at_ms,
		deadline_at_ms: input.deadline_at_ms,
		limits: input.limits,
		now_ms: context.now_ms,
		worker_id: context.worker_id,
		attempt: context.attempt,
		resumes: context.resumes,
		phases: context.phases,
		total_assets: assets?.total_assets ?? null,
		strategies: context.strategies.map(shownStrategy),
		opportunities_found: context.opportunities_found,
		wake_at_ms: context.wake_at_ms,
		ranked_count: ranking?.ranked_count ?? null,
		outcome: context.outcome,
		end: end && { at_ms: end.at_ms, code: end.error?.code ?? null, reason: end.reason, is_timeout: end.is_timeout },
	};
	return { status: ended ? "done" : "active", value: position, context: shown, children: {} };
}

const strategySnapshot = (entry: StrategyEntry): InspectedSnapshot => ({
	status: entry.state === "settled" ? "done" : "active",
	value: entry.verdict ?? entry.state,
	context: shownStrategy(entry),
	children: {},
});

/**
 * What one commit of a scan says: the scan is an actor, each run of a strategy one below it, although inside it is
 * an entry of the scan's context. `before` null: the watchers know nothing of the scan yet.
 */
export function messagesOf(
	before: ScanState | null,
	after: ScanState,
	events: readonly ScanEvent[],
): InspectionMessage[] {
	const scanId = after.context.input.scan_id;
	const base = (sessionId: string): MessageBase => ({
		sessionId,
		rootId: scanId,
		createdAt: String(after.context.now_ms),
		id: null,
		_version: PROTOCOL_VERSION,
	});
	const messages: InspectionMessage[] = [];
	const announce = (sessionId: string, name: string, definition: string, snapshot: InspectedSnapshot) =>
		messages.push({
			...base(sessionId),
			type: "@xstate.actor",
			name,
			parentId: sessionId === scanId ? undefined : scanId,
			definition,
			snapshot,
		});
	if (!before) announce(scanId, scanMachine.id, SCAN_DEFINITION, scanSnapshot(after));
	const shown = events.map(shownEvent);
	for (const event of shown) messages.push({ ...base(scanId), type: "@xstate.event", sourceId: undefined, event });
	const event = shown.at(-1) ?? { type: "xstate.init" };
	messages.push({ ...base(scanId), type: "@xstate.snapshot", event, snapshot: scanSnapshot(after) });
	const known = new Map(before?.context.strategies.map((entry) => [entry.strategy_id, entry]));
	for (const entry of after.context.strategies) {
		const held = known.get(entry.strategy_id);
		const sessionId = `${scanId}/${entry.strategy_id}`;
		const snapshot = strategySnapshot(entry);
		if (!held) announce(sessionId, entry.strategy_id, STRATEGY_DEFINITION, snapshot);
		else if (held.state !== entry.state || held.attempt !== entry.attempt || held.verdict !== entry.verdict)
			messages.push({ ...base(sessionId), type: "@xstate.snapshot", event, snapshot });
	}
	return messages;
}
