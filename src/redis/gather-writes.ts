import type { Writable } from "node:stream";

/**
 * Lets all that is written to `stream` in one turn of the event loop leave in one system call: a call for each command
 * costs a busy process more than making the command. Nothing waits longer than the turn that it was written in.
 */
export function gatherWrites(stream: Writable): void {
	const write = stream.write;
	let gathering = false;
	const release = () => {
		gathering = false;
		stream.uncork();
	};
	stream.write = function (this: Writable, ...args: Parameters<Writable["write"]>) {
		if (!gathering) {
			gathering = true;
			stream.cork();
			setImmediate(release);
		}
		return write.apply(stream, args);
	} as Writable["write"];
}
