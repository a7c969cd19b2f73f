import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP proxy between one process and its Redis that misbehaves on command. What it does to a connection:
 * - `pass`: forwards.
 * - `delay`: forwards every chunk `delayMs` later, in order.
 * - `cut`: closes what is open and everything new at once, as a host that refuses.
 * - `half_open`: what is open stays open for ever and carries nothing any more, as after a firewall has
 *   forgotten it; new connections fare alike until the proxy heals. The old ones never come back.
 * - `lose_replies`: requests arrive, replies do not, and soon the connection breaks: what was asked for
 *   has happened and nobody was told.
 */
export type LinkMode = { kind: "pass" | "cut" | "half_open" | "lose_replies" } | { kind: "delay"; delayMs: number };

export interface TcpProxy {
	readonly port: number;
	set(mode: LinkMode): void;
	/** Connections open now, dead ones included. */
	open(): number;
	close(): Promise<void>;
}

/** How long a connection without replies lives. */
const LOST_REPLY_MS = 150;

interface Pair {
	client: Socket;
	server: Socket;
	/** Carries nothing any more, whatever the mode. */
	dead: boolean;
}

export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
	const pairs = new Set<Pair>();
	let mode: LinkMode = { kind: "pass" };

	const end = (pair: Pair): void => {
		pairs.delete(pair);
		pair.client.destroy();
		pair.server.destroy();
	};
	const carry = (pair: Pair, from: Socket, to: Socket, isReply: boolean): void => {
		const late: { chunk: Buffer; dueMs: number }[] = [];
		const forward = (chunk: Buffer): void => {
			if (!pair.dead && !to.destroyed) to.write(chunk);
		};
		const release = (): void => {
			for (let [first] = late; first && first.dueMs <= performance.now(); [first] = late) {
				late.shift();
				forward(first.chunk);
			}
			const [next] = late;
			if (next) setTimeout(release, Math.max(1, next.dueMs - performance.now())).unref();
		};
		from.on("data", (chunk) => {
			if (pair.dead) return;
			if (isReply && mode.kind === "lose_replies") {
				pair.dead = true;
				setTimeout(() => end(pair), LOST_REPLY_MS).unref();
				return;
			}
			const delayMs = mode.kind === "delay" ? mode.delayMs : 0;
			// Nothing overtakes what is still on its way, also when the delay has ended meanwhile: TCP keeps the order.
			if (delayMs === 0 && late.length === 0) return forward(chunk);
			late.push({ chunk, dueMs: performance.now() + delayMs });
			if (late.length === 1) setTimeout(release, delayMs).unref();
		});
	};
	const accept = (client: Socket): void => {
		client.on("error", () => undefined);
		if (mode.kind === "cut") return void client.destroy();
		const server = connect(target);
		const pair: Pair = { client, server, dead: mode.kind === "half_open" };
		pairs.add(pair);
		for (const socket of [client, server]) {
			socket.setNoDelay(true);
			socket.on("error", () => undefined);
		}
		carry(pair, client, server, false);
		carry(pair, server, client, true);
		client.on("close", () => end(pair));
		// A half-open peer never hears that the other side has gone.
		server.on("close", () => {
			if (!pair.dead) end(pair);
		});
	};

	const server: Server = createServer(accept);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		port: (server.address() as AddressInfo).port,
		set(next) {
			mode = next;
			for (const pair of [...pairs]) {
				if (next.kind === "cut") end(pair);
				if (next.kind === "half_open") pair.dead = true;
			}
		},
		open: () => pairs.size,
		async close() {
			for (const pair of [...pairs]) end(pair);
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
