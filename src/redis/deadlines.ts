import type { Command, Redis } from "ioredis";

/** A pause of the event loop, however long, counts as one step. */
const STEP_MS = 100;

/** How many commands are held beside those that wait, before answered ones are let go. */
const ANSWERED_MAX = 64;

const waits = ({ isSettled }: Command): boolean => !isSettled;

/**
 * Ends each command that is unanswered after `limitMs` in which the event loop ran, with the error that ioredis has for
 * it. Its own timer counts the pauses of a busy process too and fires before the answer, which has long arrived, is
 * read: of a thousand requests at once, those at the end of a long turn would find a healthy server unavailable.
 */
export function limitByLoopTime(redis: Redis, limitMs: number): void {
	const steps = Math.ceil(limitMs / STEP_MS);
	/** Commands by the step in which they were sent, the newest last. */
	const sent: Command[][] = [[]];
	let prunedFrom = ANSWERED_MAX;
	let counting = false;
	const count = (): void => {
		counting = true;
		setTimeout(step, STEP_MS).unref();
	};
	/** Answered commands hold what they said and were told, which a collector that meets it has to copy. */
	const prune = (): Command[] => {
		const waiting = (sent.at(-1) as Command[]).filter(waits);
		sent[sent.length - 1] = waiting;
		prunedFrom = 2 * waiting.length + ANSWERED_MAX;
		return waiting;
	};
	const step = (): void => {
		counting = false;
		prune();
		const late = sent.length > steps ? (sent.shift() as Command[]) : [];
		for (const command of late) if (!command.isSettled) command.reject(new Error("Command timed out"));
		if (sent.some((commands) => commands.length > 0)) {
			sent.push([]);
			count();
		} else sent.splice(0, sent.length, []);
	};
	const sendUnlimited = redis.sendCommand.bind(redis);
	redis.sendCommand = (command, stream) => {
		const newest = sent.at(-1) as Command[];
		(newest.length < prunedFrom ? newest : prune()).push(command);
		if (!counting) count();
		return sendUnlimited(command, stream);
	};
}
