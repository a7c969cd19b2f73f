import http from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type KnownReply, route } from "../../src/api/route.ts";
import { ApiError } from "../../src/errors.ts";
import { type Answer, startWorld, type TestApi, within } from "../support/api.ts";
import { createGate, isProblem, probe } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let token: string;

/** By the word in the path; what is not here is unknown to both ways. */
const replies = new Map<string, KnownReply>(
	[
		{ word: "weak", etag: 'W/"scan_1-7"', length: 3000 },
		{ word: "strong", etag: '"scan_1-7"', length: 3000 },
		{ word: "small", etag: '"scan_1-7"', length: 10 },
		{ word: "foreign", etag: '"scan_2-1"', length: 1200 },
	].map(({ word, etag, length }) => [
		word,
		{
			etag,
			body: Buffer.from(JSON.stringify({ word, text: word === "foreign" ? "ü€".repeat(length) : "x".repeat(length) })),
		},
	]),
);
const asked = { handler: 0, known: 0 };
const gate = createGate();

const probes = [
	route({
		...probe,
		method: "get",
		path: "/probe/known/{word}",
		operation_id: "probeKnown",
		async known(_viewer, word) {
			asked.known += 1;
			if (word === "late") {
				gate.enter();
				await gate.opened;
			}
			if (word === "broken") throw new Error("no such text");
			if (word === "silent") throw new Error("Command timed out");
			return replies.get(word === "late" ? "weak" : word) ?? null;
		},
		async handler({ path }) {
			asked.handler += 1;
			const reply = replies.get(path.replace(/\/$/, "").split("/").at(-1) ?? "");
			if (!reply) throw new ApiError("not_found");
			return { status: 200, body: reply.body.toString(), etag: reply.etag };
		},
	}),
];

const test = suite("API: known reads");
test.before(async () => {
	world = await startWorld({ deps: { routes: probes } });
	token = String((await world.api.login())["access_token"]);
	// The first request of a token verifies it.
	await world.api.call("GET", "/api/v1/auth/me", { token });
});
test.after(() => world.stop());

type Headers = Record<string, string>;
/** The scheme in lower case is a token all the same, and never taken the short way. */
const shortWay = (word: string, headers: Headers = {}, api: TestApi = world.api): Promise<Answer> =>
	api.call("GET", `/api/v1/probe/known/${word}`, { headers: { authorization: `Bearer ${token}`, ...headers } });
const wholeWay = (word: string, headers: Headers = {}): Promise<Answer> =>
	shortWay(word, { ...headers, authorization: `bearer ${token}` });

/**
 * What a client sees, but for the moment, the calls that are left, and how it learns where the body ends: the
 * compressor sends chunks, a kept copy has a length.
 */
function seen({ status, headers, text }: Answer) {
	const { date: _date, "x-ratelimit-remaining": left, "x-ratelimit-reset": _reset, ...others } = headers;
	assert.match(String(left), /^\d+$/);
	if (others["content-encoding"]) {
		delete others["transfer-encoding"];
		delete others["content-length"];
	}
	return { status, headers: others, text };
}

test(
	"both ways give the same answers with the same headers, whatever is accepted and held",
	within(20_000, async () => {
		const tags = [
			"",
			'"scan_1-7"',
			'W/"scan_1-7"',
			'"scan_1-7-gzip"',
			'"scan_1-7-br"',
			'"a", "scan_1-7-deflate"',
			"*",
			'"b"',
		];
		const accepted = [
			"",
			"identity",
			"gzip",
			"gzip, deflate",
			"gzip, deflate, br",
			"br,gzip",
			"deflate",
			"gzip, compress, deflate, br",
			"x-unknown",
			"gzip;q=0.5",
			"*",
		];
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...replies.keys()),
				fc.constantFrom(...accepted),
				fc.constantFrom(...tags),
				fc.boolean(),
				async (word, accept, tag, named) => {
					const headers: Headers = {
						...(tag ? { "if-none-match": tag } : {}),
						...(accept ? { "accept-encoding": accept } : {}),
					};
					headers["x-request-id"] = named ? "a-request-1" : "a-request-2";
					const before = { ...asked };
					const quick = await shortWay(word, headers);
					const plain = !/[;*]/.test(accept);
					assert.is(asked.known - before.known, plain ? 1 : 0, "the short way is taken");
					assert.is(asked.handler - before.handler, plain ? 0 : 1);
					assert.equal(seen(quick), seen(await wholeWay(word, headers)));
				},
			),
			{ numRuns: 80 },
		);
	}),
);

test(
	"an id of its own without one; queries, other origins and methods take the whole way",
	within(8000, async () => {
		const [first, second] = [await shortWay("weak"), await shortWay("weak")];
		assert.match(String(first.headers["x-request-id"]), /^[0-9a-f-]{36}$/);
		assert.is.not(first.headers["x-request-id"], second.headers["x-request-id"]);
		const before = asked.known;
		const cross = await shortWay("weak", { origin: "https://app.example" });
		assert.is(cross.headers["access-control-allow-origin"], "https://app.example");
		assert.is((await shortWay("weak?wait=0")).status, 200);
		assert.is((await shortWay("weak/")).status, 200);
		assert.is((await world.api.call("HEAD", "/api/v1/probe/known/weak", { token })).status, 200);
		isProblem(await world.api.call("POST", "/api/v1/probe/known/weak", { token }), 405, "method_not_allowed");
		assert.is(asked.known, before);
	}),
);

test(
	"what is not ready, or fails to be, is asked of the handler, and each call counts once",
	within(8000, async () => {
		const left = (answer: Answer) => Number(answer.headers["x-ratelimit-remaining"]);
		const start = left(await shortWay("weak"));
		isProblem(await shortWay("missing"), 404, "not_found");
		isProblem(await shortWay("broken"), 404, "not_found");
		assert.is(left(await shortWay("weak")), start - 3);
	}),
);

test(
	"a store that has just been waited for is not asked again",
	within(8000, async () => {
		const before = asked.handler;
		isProblem(await shortWay("silent"), 503, "store_unavailable");
		assert.is(asked.handler, before);
		isProblem(await wholeWay("silent"), 404, "not_found");
	}),
);

test(
	"limits and revocations hold at once",
	within(8000, async () => {
		const rate = { discoverMax: 30, onboardMax: 5, otherMax: 4 };
		const limited = await world.second({ config: { rate } });
		const user = await limited.userWith("trader");
		const call = () => limited.call("GET", "/api/v1/probe/known/weak", { token: user.token });
		const statuses = (await Promise.all(Array.from({ length: 10 }, call))).map(({ status }) => status);
		assert.equal(statuses.filter((status) => status === 200).length, 4);
		assert.equal(statuses.filter((status) => status === 429).length, 6);
		const refused = await call();
		isProblem(refused, 429, "rate_limited");
		assert.is(refused.headers["x-ratelimit-remaining"], "0");

		const leaving = await world.api.userWith("trader");
		const ask = () => world.api.call("GET", "/api/v1/probe/known/weak", { token: leaving.token });
		assert.is((await ask()).status, 200);
		const before = asked.known;
		assert.is((await ask()).status, 200);
		assert.is(asked.known, before + 1);
		await world.api.call("POST", "/api/v1/auth/logout", { token: leaving.token });
		isProblem(await ask(), 401, "token_revoked");
	}),
);

test(
	"a read that was begun is finished while the server drains, one that is left is forgotten",
	within(8000, async () => {
		const draining = await world.second();
		await draining.call("GET", "/api/v1/auth/me", { token });
		const { port } = draining.server.address() as AddressInfo;
		const path = "/api/v1/probe/known/late";
		const left = http.get({ host: "127.0.0.1", port, path, headers: { authorization: `Bearer ${token}` } });
		left.on("error", () => undefined);
		await gate.reached;
		const finished = shortWay("late", {}, draining);
		while (draining.app.inFlight() < 2) await new Promise((next) => setImmediate(next));
		left.destroy();
		draining.app.beginShutdown();
		isProblem(await shortWay("weak", {}, draining), 503, "shutting_down");
		gate.open();
		const answer = await finished;
		assert.is(answer.status, 200);
		assert.is(answer.headers["connection"], "close");
		assert.is(draining.app.inFlight(), 0);
	}),
);

test("a route that cannot be answered so is refused at start", async () => {
	const odd = route({
		...probe,
		method: "get",
		path: "/probe/odd",
		operation_id: "odd",
		known: async () => null,
		handler: async () => ({ status: 200, body: {} }),
	});
	const refusal = await world.second({ deps: { routes: [odd] } }).then(
		() => "none",
		(error: unknown) => String(error),
	);
	assert.match(refusal, /probe\/odd: known answers/);
});

test(
	"Redis down: no read passes, and the refusal comes once",
	within(15_000, async () => {
		const lone = await startWorld({ deps: { routes: probes } });
		const own = String((await lone.api.login())["access_token"]);
		const ask = () => lone.api.call("GET", "/api/v1/probe/known/weak", { token: own });
		assert.is((await ask()).status, 200);
		await lone.redis.crash();
		isProblem(await ask(), 503, "store_unavailable");
		await lone.stop();
	}),
);

test.run();
