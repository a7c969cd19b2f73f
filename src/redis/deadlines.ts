import type { Command, Redis } from "ioredis";

/** A pause of the event loop, however long, counts as one step. */
const STEP_MS = 100;

/** How many commands are held beside those that wait, before answered ones are let go. */
const ANSWERED_MAX = 64;

/** Commands that were sent in one step. */
interface Group {
	commands: Command[];
	/** Steps that were counted before. */
	readonly steps: number;
}

const waits = ({ isSettled }: Command): boolean => !isSettled;

/**
 * Ends commands, with the error that ioredis has for it, after `silenceMs` in which the event loop ran and the server
 * answered nothing that was sent before them; after `maxMs` in which it ran whatever the server does.
 *
 * ioredis' own timer counts the pauses of a busy process too and fires before the answer, which has long arrived, is
 * read: of a thousand requests at once, those at the end of a long turn would find a healthy server unavailable. So
 * would those at the end of a long queue, through which a slow server works without a rest.
 */
export function limitByLoopTime(redis: Redis, silenceMs: number, maxMs: number): void {
	const silentMax = Math.ceil(silenceMs / STEP_MS);
	const stepsMax = Math.ceil(maxMs / STEP_MS);
	let steps = 0;
	/** The last step in which the server answered. */
	let heardAt = 0;
	const groupNow = (): Group => ({ commands: [], steps });
	/** The newest last. */
	const sent: Group[] = [groupNow()];
	const newest = (): Group => sent[sent.length - 1] as Group;
	/**
	 * What the server answers next, as it was at the last step. Taken from the client's own queue, in which those stand too
	 * that were given up: until it is through with them, a slow server answers nothing newer.
	 */
	let awaited: unknown;
	let prunedFrom = ANSWERED_MAX;
	let counting = false;
	const count = (): void => {
		counting = true;
		setTimeout(step, STEP_MS).unref();
	};
	/** Answered commands hold what they said and were told, which a collector that meets it has to copy. */
	const prune = (group: Group): Command[] => {
		group.commands = group.commands.filter(waits);
		if (group === newest()) prunedFrom = 2 * group.commands.length + ANSWERED_MAX;
		return group.commands;
	};
	const isLate = (group: Group): boolean =>
		steps - Math.max(group.steps, heardAt) > silentMax || steps - group.steps > stepsMax;
	const step = (): void => {
		counting = false;
		steps += 1;
		const next = redis.commandQueue?.peekFront();
		if (awaited !== undefined && next !== awaited) heardAt = steps;
		awaited = next;
		for (const group of sent) prune(group);
		while (isLate(sent[0] as Group)) {
			for (const command of (sent.shift() as Group).commands) command.reject(new Error("Command timed out"));
			if (sent.length === 0) sent.push(groupNow());
		}
		if (sent.some(({ commands }) => commands.length > 0)) count();
		else {
			sent.length = 0;
			awaited = undefined;
		}
		sent.push(groupNow());
		prunedFrom = ANSWERED_MAX;
	};
	const sendUnlimited = redis.sendCommand.bind(redis);
	redis.sendCommand = (command, stream) => {
		const group = newest();
		(group.commands.length < prunedFrom ? group.commands : prune(group)).push(command);
		if (!counting) count();
		return sendUnlimited(command, stream);
	};
}
