import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
	path: string;
	body: string;
	headers: IncomingHttpHeaders;
}

/** A receiver of webhooks on loopback that notes what it is sent. */
export interface Receiver {
	url: string;
	/** Status by path; 200 by default. */
	statuses: Map<string, number>;
	/** What came to a path, in order. */
	at(path: string): Received[];
	/** Resolves once `count` requests have come to the path. */
	until(path: string, count: number): Promise<void>;
	close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
	const received: Received[] = [];
	const statuses = new Map<string, number>();
	let waiting: { path: string; count: number; done(): void }[] = [];
	const at = (path: string) => received.filter((entry) => entry.path === path);
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const path = request.url ?? "";
			received.push({ path, body: Buffer.concat(chunks).toString(), headers: request.headers });
			response.writeHead(statuses.get(path) ?? 200).end();
			const over = waiting.filter((one) => at(one.path).length >= one.count);
			waiting = waiting.filter((one) => !over.includes(one));
			for (const one of over) one.done();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		statuses,
		at,
		until: (path, count) =>
			new Promise((done) => {
				if (at(path).length >= count) done();
				else waiting.push({ path, count, done });
			}),
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
