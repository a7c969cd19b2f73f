import * as assert from "uvu/assert";
import { z } from "zod";
import { type RouteSpec, route } from "../../src/api/route.ts";
import { ApiError } from "../../src/errors.ts";
import type { Answer } from "./api.ts";

/** A gate that a test opens when the handler may go on. */
export function createGate() {
	let open = (): void => undefined;
	let entered = (): void => undefined;
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	const reached = new Promise<void>((resolve) => {
		entered = resolve;
	});
	return { open: () => open(), enter: () => entered(), opened, reached };
}

const anything = { 200: { description: "probe", schema: z.looseObject({}) } };
/** What probing routes have in common. */
export const probe = { tag: "scans", rate: "other", summary: "probe", responses: anything } as const;

/** Routes that show what the kernel does around a handler. */
export const probes: readonly RouteSpec[] = [
	route({
		...probe,
		method: "get",
		path: "/probe/gone/{scan_id}",
		operation_id: "probeGone",
		async handler() {
			const scan = {
				success: false,
				message: "It has expired",
				status: "expired",
				scan_id: "scan_x",
				expired_at: "2026-01-01T00:00:00.000Z",
			};
			throw new ApiError("scan_expired", "It has expired", scan);
		},
	}),
	route({
		...probe,
		method: "get",
		path: "/probe/broken",
		operation_id: "probeBroken",
		handler: async () => {
			throw new Error("connect ECONNREFUSED 10.0.0.7:6379 secret-key");
		},
	}),
	route({
		...probe,
		method: "get",
		path: "/probe/tagged",
		operation_id: "probeTagged",
		query: z.object({ wait: z.coerce.number().int().min(0).max(30).default(0) }),
		handler: async () => ({ status: 200, body: { text: "x".repeat(3000) }, etag: 'W/"scan_1-7"' }),
	}),
	route({
		...probe,
		method: "post",
		path: "/probe/echo",
		operation_id: "probeEcho",
		body: z.object({ list: z.array(z.number()).optional() }),
		handler: async ({ body }) => ({ status: 202, body }),
	}),
];

/** One route that runs until its gate opens, one that waits for its signal. */
export const slowRoutes = (
	running: ReturnType<typeof createGate>,
	polling: ReturnType<typeof createGate>,
): RouteSpec[] => [
	route({
		...probe,
		method: "get",
		path: "/probe/running",
		operation_id: "probeRunning",
		async handler() {
			running.enter();
			await running.opened;
			return { status: 200, body: { done: true } };
		},
	}),
	route({
		...probe,
		method: "get",
		path: "/probe/poll",
		operation_id: "probePoll",
		async handler({ signal }) {
			polling.enter();
			await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
			return { status: 200, body: { state: "current" } };
		},
	}),
];

/** The promises of every problem body. */
export const isProblem = (answer: Answer, status: number, code: string): void => {
	assert.is(answer.status, status, answer.text);
	assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/);
	assert.is(answer.json["code"], code);
	assert.is(answer.json["type"], `urn:problem-type:${code}`);
	assert.is(answer.json["error"], answer.json["detail"]);
	assert.is(answer.json["request_id"], answer.headers["x-request-id"]);
	assert.ok(answer.headers["cache-control"]);
};
