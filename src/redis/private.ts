/** A real server of our own: a child process on a private socket, with its data on disk. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { access, chmod, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { Logger } from "../log.ts";
import { RedisSetupError } from "./connection.ts";
import { answers } from "./ownership.ts";
import { probe } from "./probe.ts";
import type { RedisPlace } from "./socket-directory.ts";
import { isSupportedVersion, REDIS_VERSION_MIN } from "./version.ts";

const NAMES = ["redis-server", "valkey-server", "keydb-server"] as const;
const VERSION_WAIT_MS = 5000;
/** Loading a large append-only file takes a while; the wait ends early when the server dies. */
const START_WAIT_MS = 60_000;
const FORMER_WAIT_MS = 10_000;
const STOP_WAIT_MS = 10_000;
const OUTPUT_LINES_MAX = 20;

/**
 * Servers on `path` that answer `--version` with one new enough, in the order of NAMES. A broken or old
 * one is named in the log and passed over.
 */
export async function findRedisBinaries(path: string, logger: Logger): Promise<string[]> {
	const found: string[] = [];
	for (const name of NAMES) {
		for (const folder of path.split(delimiter).filter((part) => part !== "")) {
			const file = join(folder, name);
			if (!(await isExecutable(file))) continue;
			const version = await versionOf(file);
			if (version !== null && isSupportedVersion(version)) found.push(file);
			else logger.warn({ server: name, version }, `passed over: Redis ${REDIS_VERSION_MIN} or newer is needed`);
			break;
		}
	}
	return found;
}

const isExecutable = (file: string): Promise<boolean> =>
	access(file, constants.X_OK).then(
		() => true,
		() => false,
	);

async function versionOf(file: string): Promise<string | null> {
	const output = await promisify(execFile)(file, ["--version"], { timeout: VERSION_WAIT_MS }).catch(() => null);
	return output ? (/v=?(\d+\.\d+(\.\d+)?)/.exec(output.stdout)?.[1] ?? null) : null;
}

/**
 * The server's keeper. Its standard input is a pipe from us that the system closes when we are gone, even
 * by SIGKILL; then it asks the server to stop, which flushes the append-only file first.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -TERM "$server" 2>/dev/null ) &
watcher=$!
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

const serverArguments = (place: RedisPlace): string[] => [
	...["--port", "0", "--unixsocket", place.socket, "--unixsocketperm", "700"],
	...["--dir", place.dataDir, "--daemonize", "no", "--save", ""],
	...["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"],
];

export interface OwnServer {
	kind: "private" | "memory";
	close(): Promise<void>;
}

/**
 * @param place whose data directory this process has claimed.
 * @throws RedisSetupError when the server of an earlier run does not go away or the new one does not come up.
 */
export async function openPrivate(
	binary: string,
	place: RedisPlace,
	logger: Logger,
	waitMs = START_WAIT_MS,
): Promise<OwnServer> {
	await formerServerGone(place.socket);
	// Its own process group: a Ctrl-C in the terminal reaches us, who still need the server to hand over.
	const keeper = spawn("/bin/sh", ["-c", KEEPER, "lookout-redis", binary, ...serverArguments(place)], {
		stdio: ["pipe", "pipe", "pipe"],
		detached: true,
		cwd: place.dataDir,
	});
	const ended = endOf(keeper);
	const output = collectOutput(keeper, logger);
	let running = true;
	let closing = false;
	void ended.then((code) => {
		running = false;
		if (!closing) logger.error({ exit_code: code, output }, "the private Redis server has ended");
	});
	keeper.unref();

	try {
		await probe(
			{ path: place.socket },
			waitMs,
			async () => undefined,
			() => running,
		);
	} catch (error) {
		closing = true;
		keeper.stdin?.destroy();
		throw new RedisSetupError(`the private Redis server did not start: ${output.join("; ") || String(error)}`);
	}
	await chmod(place.socket, 0o700);
	logger.info({ server: binary }, "private Redis server started");
	return {
		kind: "private",
		async close() {
			closing = true;
			keeper.stdin?.destroy();
			if (!(await settledWithin(ended, STOP_WAIT_MS))) logger.warn("the private Redis server is slow to stop");
		},
	};
}

/** A server of a process that was killed needs a moment to write its file and leave. */
async function formerServerGone(socket: string): Promise<void> {
	const giveUp = AbortSignal.timeout(FORMER_WAIT_MS);
	while (await answers(socket)) {
		if (giveUp.aborted) {
			throw new RedisSetupError("a private Redis server of an earlier run still uses this DATA_DIR; stop it first");
		}
		await pause(20);
	}
}

const endOf = (child: ChildProcess): Promise<number | null> =>
	new Promise((resolve) => {
		child.once("error", () => resolve(null));
		child.once("exit", (code) => resolve(code));
	});

/** Newest lines of the server, for the one message about a failed start. */
function collectOutput(child: ChildProcess, logger: Logger): string[] {
	const lines: string[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding("utf8").on("data", (text: string) => {
			for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
				logger.debug({ redis: line }, "redis");
				lines.push(line.trim());
				if (lines.length > OUTPUT_LINES_MAX) lines.shift();
			}
		});
		(stream as { unref?: () => void } | null)?.unref?.();
	}
	(child.stdin as { unref?: () => void } | null)?.unref?.();
	// The keeper may be gone before the pipe is: that is how it ends, not an error.
	child.stdin?.on("error", () => undefined);
	return lines;
}

async function settledWithin(promise: Promise<unknown>, waitMs: number): Promise<boolean> {
	const timer = new AbortController();
	const limit = pause(waitMs, false, { signal: timer.signal }).catch(() => false);
	const settled = await Promise.race([promise.then(() => true), limit]);
	timer.abort();
	return settled;
}
