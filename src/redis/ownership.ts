/** One live process per DATA_DIR: two servers on one append-only file would destroy it. */
import { createHash } from "node:crypto";
import { unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { RedisSetupError } from "./connection.ts";

export interface DirectoryClaim {
	release(): Promise<void>;
}

/**
 * The claim is a listening socket, which the system takes back when the process ends, however it ends.
 * On Linux its name is an abstract one: taking it is atomic and leaves nothing to clean up. Elsewhere it
 * is a file, and a file that nobody answers on is left over from a killed process and replaced.
 *
 * @throws RedisSetupError when another process holds the claim.
 */
export async function claimDirectory(dataDir: string): Promise<DirectoryClaim> {
	const address = claimAddress(dataDir);
	try {
		return claimOf(await listen(address));
	} catch (error) {
		if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
	}
	if (!address.startsWith("\0") && !(await answers(address))) {
		await unlink(address).catch(() => undefined);
		return claimOf(await listen(address));
	}
	throw new RedisSetupError(
		"another running Lookout uses this DATA_DIR; stop it, choose another DATA_DIR, or share one server with REDIS_URL",
	);
}

function claimAddress(dataDir: string): string {
	const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 32);
	return process.platform === "linux" ? `\0lookout-${hash}` : join(dataDir, "owner");
}

const claimOf = (server: Server): DirectoryClaim => ({
	release: () => new Promise((resolve) => server.close(() => resolve())),
});

function listen(path: string): Promise<Server> {
	return new Promise((resolve, reject) => {
		const server = createServer((socket) => socket.destroy());
		server.once("error", reject);
		server.listen({ path }, () => resolve(server.unref()));
	});
}

/** Whether some process listens on a unix socket. */
export function answers(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ path });
		const settle = (alive: boolean) => {
			socket.destroy();
			resolve(alive);
		};
		socket.once("connect", () => settle(true));
		socket.once("error", () => settle(false));
	});
}
