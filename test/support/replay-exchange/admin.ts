/** Paths that steer the exchange and that no exchange has: faults, clock, counts. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { type Faults, faultSchema } from "./faults.ts";
import type { StatsKeeper } from "./stats.ts";

const BODY_BYTES_MAX = 64 * 1024;

export interface AdminDeps {
	faults: Faults;
	stats: StatsKeeper;
	now(): number;
	setNow(ms: number): void;
}

export interface AdminAnswer {
	status: number;
	body: unknown;
}

/** One fault or a list of them. */
const faultList = z.preprocess((given) => [given].flat(), z.array(faultSchema).max(100));
const clockBody = z.strictObject({ now: z.union([z.iso.datetime({ offset: true }), z.number().int().nonnegative()]) });

/** The answer to `/__faults`, `/__stats` or `/__clock`; null for another path. */
export async function answerAdmin(
	request: IncomingMessage,
	path: string,
	deps: AdminDeps,
): Promise<AdminAnswer | null> {
	const call = `${request.method} ${path}`;
	if (call === "GET /__faults") return { status: 200, body: deps.faults.list() };
	if (call === "GET /__stats") return { status: 200, body: deps.stats.read() };
	if (call === "GET /__clock") return { status: 200, body: clockOf(deps) };
	if (call === "DELETE /__faults") deps.faults.clear();
	else if (call === "DELETE /__stats") deps.stats.reset();
	else if (call === "POST /__faults") {
		const given = await bodyOf(request, faultList);
		if (!given.ok) return given.answer;
		deps.faults.add(...given.value);
		return { status: 201, body: deps.faults.list() };
	} else if (call === "POST /__clock") {
		const given = await bodyOf(request, clockBody);
		if (!given.ok) return given.answer;
		deps.setNow(typeof given.value.now === "number" ? given.value.now : Date.parse(given.value.now));
		return { status: 200, body: clockOf(deps) };
	} else if (path.startsWith("/__")) return { status: 404, body: { error: `there is no ${call}` } };
	else return null;
	return { status: 200, body: {} };
}

const clockOf = ({ now }: AdminDeps) => ({ now: new Date(now()).toISOString(), now_ms: now() });

type Given<T> = { ok: true; value: T } | { ok: false; answer: AdminAnswer };

async function bodyOf<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<Given<T>> {
	const refuse = (error: string): Given<T> => ({ ok: false, answer: { status: 400, body: { error } } });
	let text = "";
	for await (const chunk of request) {
		text += String(chunk);
		if (text.length > BODY_BYTES_MAX) return refuse(`a body of more than ${BODY_BYTES_MAX} bytes`);
	}
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return refuse("the body is not JSON");
	}
	const checked = schema.safeParse(parsed);
	return checked.success ? { ok: true, value: checked.data } : refuse(z.prettifyError(checked.error));
}
