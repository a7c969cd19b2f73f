import type { Redis } from "ioredis";
import { loopTurns } from "../loop-turns.ts";

/**
 * The server reads so much of a connection at once. More in one packet would only make it wait for the rest of the
 * turn, in which it could have begun.
 */
const PACKET_LENGTH = 16 * 1024;

/**
 * Lets commands that are sent in one turn of the event loop leave together, in packets of some 16 KiB: a write to the
 * socket for each of them is the dearest part of a small command. The order stays, and a command waits for the end of
 * its turn at most.
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
			loopTurns.atEnd(release);
		}
		const answer = sendAlone(command, stream);
		if (held !== null && held.writableLength >= PACKET_LENGTH) {
			held.uncork();
			held.cork();
		}
		return answer;
	};
}
