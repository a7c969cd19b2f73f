import type { Redis } from "ioredis";

/**
 * Lets commands that are sent in one turn of the event loop leave together: a write to the socket for each of them is
 * the dearest part of a small command. The order stays, and a command waits for the end of its turn at most.
 */
export function sendTogether(redis: Redis): void {
	let held: Redis["stream"] | null = null;
	const release = (): void => {
		held?.uncork();
		held = null;
	};
	const sendAlone = redis.sendCommand.bind(redis);
	redis.sendCommand = (command, stream) => {
		if (held === null && redis.stream) {
			held = redis.stream;
			held.cork();
			setImmediate(release);
		}
		return sendAlone(command, stream);
	};
}
