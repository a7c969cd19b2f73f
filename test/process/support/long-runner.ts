/** A process with one step of closing, quick or hanging. */
import { createServer } from "node:net";
import { systemClock } from "../../../src/clock.ts";
import { silentLogger } from "../../../src/log.ts";
import { installShutdown } from "../../../src/process/shutdown.ts";

const hanging = process.argv[2] === "hanging";
const server = createServer().listen(0, "127.0.0.1", () => process.stdout.write("ready\n"));
const run = () => {
	process.stdout.write("closing\n");
	if (hanging) return new Promise(() => undefined);
	return new Promise<void>((resolve) => server.close(() => process.stdout.write("closed\n", () => resolve())));
};
installShutdown(() => [{ name: "server", limitMs: 10_000, run }], systemClock, silentLogger());
