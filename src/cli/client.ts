import { CliError, EXIT, exitOf } from "./exit.ts";
import type { Session, SessionFile } from "./session.ts";

export type Json = Record<string, unknown>;

export interface Reply {
	status: number;
	headers: Headers;
	body: Json;
	text: string;
}

/** Longer than any long poll. */
const CALL_LIMIT_MS = 45_000;

/** The API as the signed-in person sees it; an access token that has run out is renewed once, by itself. */
export class Client {
	private session: Session;
	private readonly file: SessionFile;

	constructor(session: Session, file: SessionFile) {
		this.session = session;
		this.file = file;
	}

	get url(): string {
		return this.session.url;
	}

	/** Throws CliError with the server's own words for everything that is no success, unless `accept` takes it. */
	async call(
		method: string,
		path: string,
		body?: Json,
		accept: (reply: Reply) => boolean = () => false,
		idempotencyKey?: string,
	): Promise<Reply> {
		const signal = AbortSignal.timeout(CALL_LIMIT_MS);
		const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
		const response = await this.open(method, path, { signal, headers, ...(body ? { body } : {}) });
		const text = await response.text();
		const reply = { status: response.status, headers: response.headers, body: parse(text), text };
		if (response.ok || accept(reply)) return reply;
		throw refusal(reply);
	}

	/** The response with its body unread; used by streams. */
	async open(
		method: string,
		path: string,
		options: { signal: AbortSignal; body?: Json; headers?: Record<string, string> },
	): Promise<Response> {
		const first = await this.send(method, path, options);
		if (first.status !== 401 || !this.session.refresh_token) return first;
		await first.body?.cancel();
		await this.renew(options.signal);
		return this.send(method, path, options);
	}

	private async send(
		method: string,
		path: string,
		{ signal, body, headers = {} }: { signal: AbortSignal; body?: Json; headers?: Record<string, string> },
	): Promise<Response> {
		return request(this.session.url, method, path, {
			signal,
			headers: { authorization: `Bearer ${this.session.access_token}`, ...headers },
			...(body ? { body } : {}),
		});
	}

	private async renew(signal: AbortSignal): Promise<void> {
		const { url, refresh_token } = this.session;
		const response = await request(url, "POST", "/auth/refresh", { signal, headers: {}, body: { refresh_token } });
		const body = parse(await response.text());
		if (!response.ok) throw new CliError(EXIT.denied, "Your login has ended. Sign in again: lookout login");
		this.session = {
			...this.session,
			access_token: String(body.access_token),
			refresh_token: String(body.refresh_token),
		};
		await this.file.write(this.session);
	}
}

export async function request(
	url: string,
	method: string,
	path: string,
	{ signal, headers, body }: { signal: AbortSignal; headers: Record<string, string>; body?: Json },
): Promise<Response> {
	try {
		return await fetch(`${url}/api/v1${path}`, {
			method,
			signal,
			redirect: "error",
			headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
			...(body ? { body: JSON.stringify(body) } : {}),
		});
	} catch (error) {
		if (signal.aborted) throw new CliError(EXIT.failure, `${url} did not answer in time`);
		const cause = (error as { cause?: { code?: unknown } }).cause?.code;
		throw new CliError(EXIT.failure, `${url} cannot be reached${typeof cause === "string" ? ` (${cause})` : ""}`);
	}
}

export function parse(text: string): Json {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
	} catch {
		return {};
	}
}

export function refusal({ status, body, headers }: Pick<Reply, "status" | "body" | "headers">): CliError {
	const fields = Array.isArray(body.errors)
		? (body.errors as { path: string; message: string }[]).map(({ path, message }) => `${path}: ${message}`)
		: [];
	const detail = fields.length > 0 ? fields.join("; ") : String(body.detail ?? `the server answered ${status}`);
	const after = headers.get("retry-after");
	return new CliError(exitOf(status), status === 429 && after ? `${detail}; try again in ${after} s` : detail);
}
