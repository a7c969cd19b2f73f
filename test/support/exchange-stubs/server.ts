/** A loopback server with a few endpoints of an exchange, in the form that the exchange documents. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers by path; the query as the exchange gets it. */
export type StubAnswers = Readonly<Record<string, (query: URLSearchParams) => unknown>>;

export interface ExchangeStub {
	baseUrl: string;
	/** Paths with their queries, in order. */
	requests: string[];
	/** Paths that were asked for and that the stub does not have. */
	missing: string[];
	close(): Promise<void>;
}

export async function startExchangeStub(answers: StubAnswers): Promise<ExchangeStub> {
	const requests: string[] = [];
	const missing: string[] = [];
	const server = createServer((request, response) => {
		const url = new URL(request.url ?? "/", "http://127.0.0.1");
		requests.push(url.pathname + url.search);
		const answer = answers[url.pathname];
		if (!answer) missing.push(`${request.method} ${url.pathname}${url.search}`);
		response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
		response.end(JSON.stringify(answer ? answer(url.searchParams) : { error: "no such path" }));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		requests,
		missing,
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
