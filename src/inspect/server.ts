/// <reference path="./ws.d.ts" />
import { WebSocketServer } from "ws";
import { isLoopback } from "../config/relations.ts";
import type { InspectionMessage } from "./messages.ts";

const WATCHERS_MAX = 10;
/** A watcher that reads slower than this is let go: nobody waits for it. */
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;
/** Nothing that a watcher sends is read. */
const RECEIVED_BYTES_MAX = 1_024;

export interface InspectionServer {
	readonly url: string;
	watchers(): number;
	/** Hands the message to every watcher. */
	send(message: InspectionMessage): void;
	close(): Promise<void>;
}

/**
 * Programs name no origin; a page does, and only pages of this machine may look: any site that a developer
 * visits could connect to a loopback port.
 */
export function mayWatch(origin: string | undefined): boolean {
	if (origin === undefined) return true;
	const url = URL.canParse(origin) ? new URL(origin) : null;
	return url !== null && isLoopback(url.hostname);
}

/** Listens on the loopback address only; `port` 0 takes a free one. `onJoin`: a further watcher is there. */
export async function openInspectionServer(port: number, onJoin: () => void): Promise<InspectionServer> {
	const sockets = new WebSocketServer({
		host: "127.0.0.1",
		port,
		maxPayload: RECEIVED_BYTES_MAX,
		perMessageDeflate: false,
		verifyClient: ({ origin }) => mayWatch(origin) && sockets.clients.size < WATCHERS_MAX,
	});
	await new Promise<void>((resolve, reject) => {
		sockets.once("listening", resolve);
		sockets.once("error", reject);
	});
	sockets.on("connection", (socket) => {
		socket.on("error", () => socket.terminate());
		onJoin();
	});
	return {
		url: `ws://127.0.0.1:${sockets.address().port}`,
		watchers: () => sockets.clients.size,
		send(message) {
			const text = JSON.stringify(message);
			for (const socket of sockets.clients) {
				if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
				else socket.send(text);
			}
		},
		close() {
			for (const socket of sockets.clients) socket.terminate();
			return new Promise((resolve) => sockets.close(resolve));
		},
	};
}
