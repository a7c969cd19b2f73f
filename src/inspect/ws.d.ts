/** The part of `ws` that is used here; the package brings no types of its own. */
declare module "ws" {
	import type { AddressInfo } from "node:net";

	export class WebSocket {
		constructor(url: string, options?: { origin?: string });
		/** Bytes handed over and not yet sent. */
		readonly bufferedAmount: number;
		send(text: string): void;
		terminate(): void;
		on(event: "error", listener: (error: Error) => void): void;
		on(event: "open" | "close", listener: () => void): void;
		on(event: "message", listener: (data: Buffer) => void): void;
	}

	export class WebSocketServer {
		constructor(options: {
			host: string;
			port: number;
			maxPayload: number;
			perMessageDeflate: boolean;
			verifyClient(info: { origin: string | undefined }): boolean;
		});
		readonly clients: ReadonlySet<WebSocket>;
		address(): AddressInfo;
		on(event: "connection", listener: (socket: WebSocket) => void): void;
		once(event: "listening", listener: () => void): void;
		once(event: "error", listener: (error: Error) => void): void;
		close(done: () => void): void;
	}
}
