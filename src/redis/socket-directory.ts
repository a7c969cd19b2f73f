/** Where private and embedded servers listen: a folder that only this user may enter. */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisSetupError } from "./connection.ts";

export interface RedisPlace {
	/** DATA_DIR/redis, absolute and without links: the server's data. */
	dataDir: string;
	/** Path of the unix socket. */
	socket: string;
}

/** A socket address holds 104 bytes on macOS and 108 on Linux, the closing zero included. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Makes DATA_DIR/redis with mode 0700. When the socket's path would be too long for the system, the socket
 * moves to a short folder of the temporary directory whose name follows from DATA_DIR, so that the next
 * start finds a server of the previous one.
 *
 * @throws RedisSetupError when no safe folder can be had.
 */
export async function socketDirectory(dataDir: string): Promise<RedisPlace> {
	const wanted = join(dataDir, "redis");
	await mkdir(wanted, { recursive: true, mode: 0o700 });
	await chmod(wanted, 0o700);
	const real = await realpath(wanted);
	const socket = join(real, "s");
	if (Buffer.byteLength(socket) <= SOCKET_PATH_BYTES_MAX) return { dataDir: real, socket };

	const hash = createHash("sha256").update(real).digest("hex").slice(0, 16);
	const short = join(tmpdir(), `lookout-${hash}`);
	await mkdir(short, { mode: 0o700 }).catch((error: unknown) => {
		if ((error as { code?: string }).code !== "EEXIST") throw error;
	});
	// The temporary directory is shared: a folder that somebody else has put there is not used.
	const facts = await lstat(short);
	if (!facts.isDirectory() || facts.uid !== process.getuid?.() || (facts.mode & 0o077) !== 0) {
		throw new RedisSetupError(`${short} exists and is not a private folder of this user; remove it`);
	}
	const shortSocket = join(short, "s");
	if (Buffer.byteLength(shortSocket) > SOCKET_PATH_BYTES_MAX) {
		throw new RedisSetupError("DATA_DIR and the temporary directory are both too deep for a unix socket");
	}
	return { dataDir: real, socket: shortSocket };
}
