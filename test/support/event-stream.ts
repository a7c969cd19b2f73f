import http from "node:http";
import type { TestApi } from "./api.ts";
import { within } from "./wait.ts";

export interface StreamEvent {
	id: string | null;
	event: string;
	data: string;
}

export interface OpenStream {
	status: number;
	headers: http.IncomingHttpHeaders;
	/** Events as they come; ends with the response. */
	events: AsyncGenerator<StreamEvent>;
	/** Comment lines seen so far. */
	comments: string[];
	close(): void;
}

function parseBlock(block: string, comments: string[]): StreamEvent | null {
	const event: StreamEvent = { id: null, event: "message", data: "" };
	let told = false;
	for (const line of block.split("\n")) {
		if (line.startsWith(":")) comments.push(line.slice(1).trim());
		const [, name, value = ""] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
		if (name === "id") event.id = value;
		if (name === "event") event.event = value;
		if (name === "data") event.data += value;
		told ||= name !== undefined;
	}
	return told ? event : null;
}

/** Reads Server-Sent Events as a browser's fetch would: the token in its header. */
export async function openEvents(
	api: TestApi,
	path: string,
	token: string,
	headers: Record<string, string> = {},
): Promise<OpenStream> {
	const { port } = api.server.address() as { port: number };
	const comments: string[] = [];
	const request = http.get({
		host: "127.0.0.1",
		port,
		path,
		agent: false,
		headers: { authorization: `Bearer ${token}`, ...headers },
	});
	const response = await within(
		new Promise<http.IncomingMessage>((resolve, reject) => {
			request.once("response", resolve);
			request.once("error", reject);
		}),
		"the stream's head",
		10_000,
	);
	async function* events(): AsyncGenerator<StreamEvent> {
		let text = "";
		for await (const chunk of response.setEncoding("utf8")) {
			text += chunk;
			for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
				const event = parseBlock(text.slice(0, end), comments);
				text = text.slice(end + 2);
				if (event) yield event;
			}
		}
	}
	return {
		status: response.statusCode ?? 0,
		headers: response.headers,
		events: events(),
		comments,
		close: () => request.destroy(),
	};
}
