import type { Command, Redis } from "ioredis";

/** A pause of the event loop, however long, counts as one step. */
const STEP_MS = 100;

/**
 * Ends each command that is unanswered after `limitMs` in which the event loop ran, with the error that ioredis has for
 * it. Its own timer counts the pauses of a busy process too and fires before the answer, which has long arrived, is
 * read: of a thousand requests at once, those at the end of a long turn would find a healthy server unavailable.
 */
export function limitByLoopTime(redis: Redis, limitMs: number): void {
	const steps = Math.ceil(limitMs / STEP_MS);
	/** Commands by the step in which they were sent, the newest last. */
	const sent: Command[][] = [[]];
	let counting = false;
	const count = (): void => {
		counting = true;
		setTimeout(step, STEP_MS).unref();
	};
	const step = (): void => {
		counting = false;
		const newest = sent.length - 1;
		sent[newest] = (sent[newest] as Command[]).filter(({ isSettled }) => !isSettled);
		const late = sent.length > steps ? (sent.shift() as Command[]) : [];
		for (const command of late) if (!command.isSettled) command.reject(new Error("Command timed out"));
		if (sent.some((commands) => commands.length > 0)) {
			sent.push([]);
			count();
		} else sent.splice(0, sent.length, []);
	};
	const sendUnlimited = redis.sendCommand.bind(redis);
	redis.sendCommand = (command, stream) => {
		sent.at(-1)?.push(command);
		if (!counting) count();
		return sendUnlimited(command, stream);
	};
}
