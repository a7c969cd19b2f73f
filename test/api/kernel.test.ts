import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startWorld, type TestApi, within } from "../support/api.ts";
import { isProblem, probes } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;
let token: string;

const test = suite("API: kernel");
test.before(async () => {
	world = await startWorld({ deps: { routes: probes } });
	api = world.api;
	token = String((await api.login())["access_token"]);
});
test.after(() => world.stop());

test(
	"without a token everything is 401, before lookup and before the body",
	within(8000, async () => {
		isProblem(await api.call("GET", "/api/v1/no/such/route"), 401, "authentication_required");
		isProblem(await api.call("GET", "/elsewhere"), 401, "authentication_required");
		isProblem(await api.call("POST", "/api/v1/probe/echo", { raw: "{broken" }), 401, "authentication_required");
		isProblem(
			await api.call("GET", "/api/v1/auth/me", { headers: { authorization: "Basic abc" } }),
			401,
			"authentication_required",
		);
	}),
);

test(
	"with a token: 404 for an unknown route, 405 with Allow for another method",
	within(8000, async () => {
		isProblem(await api.call("GET", "/api/v1/no/such/route", { token }), 404, "not_found");
		isProblem(await api.call("GET", "/API/v1/auth/me", { token }), 404, "not_found");
		const answer = await api.call("DELETE", "/api/v1/auth/me", { token });
		isProblem(answer, 405, "method_not_allowed");
		assert.match(answer.headers["allow"] ?? "", /GET/);
		const login = await api.call("GET", "/api/v1/auth/login");
		isProblem(login, 405, "method_not_allowed");
		assert.match(login.headers["allow"] ?? "", /POST/);
		assert.is((await api.call("POST", "/livez")).status, 405);
	}),
);

test(
	"a word in `status` moves the number to http_status; extra members are added",
	within(8000, async () => {
		const answer = await api.call("GET", "/api/v1/probe/gone/scan_x", { token });
		isProblem(answer, 410, "scan_expired");
		assert.is(answer.json["status"], "expired");
		assert.is(answer.json["http_status"], 410);
		assert.is(answer.json["success"], false);
		assert.is(answer.json["instance"], "/api/v1/probe/gone/scan_x");
	}),
);

test(
	"a 5xx says its title only, and the cause is logged under the request id",
	within(8000, async () => {
		const answer = await api.call("GET", "/api/v1/probe/broken?x=1", {
			token,
			headers: { "x-request-id": "my-request-1" },
		});
		isProblem(answer, 500, "internal_error");
		assert.is(answer.headers["x-request-id"], "my-request-1");
		assert.not.match(answer.text, /ECONNREFUSED|10\.0\.0\.7|secret|stack/);
		assert.is(answer.json["instance"], "/api/v1/probe/broken");
		const line = api.logs.find((entry) => entry.facts["request_id"] === "my-request-1");
		assert.match(String(line?.facts["error_message"]), /ECONNREFUSED/);
		const other = await api.call("GET", "/livez", { headers: { "x-request-id": "no" } });
		assert.match(other.headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
	}),
);

test(
	"bodies: empty is {}, not JSON is 400, not an object is 422, another type 415, too large 413",
	within(8000, async () => {
		const post = (options: Parameters<TestApi["call"]>[2]) =>
			api.call("POST", "/api/v1/probe/echo", { token, ...options });
		assert.equal((await post({})).json, {});
		assert.is((await post({})).headers["retry-after"], "3");
		assert.equal((await post({ body: { list: [1, 2], other: true } })).json, { list: [1, 2] });
		isProblem(await post({ raw: "{broken" }), 400, "malformed_json");
		for (const raw of ["[]", "null", "3", '"text"']) isProblem(await post({ raw }), 422, "validation_failed");
		isProblem(
			await post({ raw: "a=1", headers: { "content-type": "application/x-www-form-urlencoded" } }),
			415,
			"unsupported_media_type",
		);
		isProblem(
			await post({ raw: "{}", headers: { "content-type": "application/json; charset=klingon" } }),
			415,
			"unsupported_media_type",
		);
		isProblem(await post({ raw: "{}", headers: { "content-encoding": "gzip" } }), 400, "malformed_json");
		isProblem(await post({ raw: "{}", headers: { "content-encoding": "nonsense" } }), 415, "unsupported_media_type");
		isProblem(await post({ raw: `{"a":"${"x".repeat(1024 * 1024)}"}` }), 413, "payload_too_large");
		const chunked = await post({
			raw: `{"a":"${"x".repeat(1024 * 1024)}"}`,
			headers: { "transfer-encoding": "chunked", "content-length": "" },
		}).catch(() => null);
		if (chunked) assert.ok([400, 413].includes(chunked.status));
		const bad = await post({ body: { list: [1, "2"] } });
		isProblem(bad, 422, "validation_failed");
		assert.is((bad.json["errors"] as { path: string }[])[0]?.path, "body.list.1");
		const text = await post({ raw: "{}", headers: { "content-type": "application/merge-patch+json" } });
		assert.is(text.status, 202);
	}),
);

test(
	"a malformed query is 422 with its path; ids and paths of any form never give 5xx",
	within(8000, async () => {
		const bad = await api.call("GET", "/api/v1/probe/tagged?wait=abc", { token });
		isProblem(bad, 422, "validation_failed");
		assert.is((bad.json["errors"] as { path: string }[])[0]?.path, "query.wait");
		assert.is((await api.call("GET", "/api/v1/probe/tagged?wait=31", { token })).status, 422);
		assert.is((await api.call("GET", "/api/v1/probe/tagged?wait=1&wait=2", { token })).status, 422);
		for (const id of ["%", "%E0%A4%A", "a".repeat(7000), "%00", "..%2f..%2f", "%7B%7D"]) {
			const answer = await api.call("PATCH", `/api/v1/admin/users/${id}`, { token, body: {} });
			assert.ok(answer.status === 404 || answer.status === 400, `${id.slice(0, 20)}: ${answer.status}`);
		}
		assert.is((await api.call("GET", "/api/v1/probe/tagged/", { token })).status, 200);
		assert.ok((await api.call("GET", "//api/v1/probe/tagged", { token })).status < 500);
		assert.ok((await api.call("GET", "/api/v1/%", { token })).status < 500);
	}),
);

test(
	"ETag and If-None-Match give 304 whatever the cache directives; HEAD answers without a body",
	within(8000, async () => {
		const get = (headers: Record<string, string>) => api.call("GET", "/api/v1/probe/tagged", { token, headers });
		assert.is((await get({})).headers["etag"], 'W/"scan_1-7"');
		for (const tag of ['W/"scan_1-7"', '"scan_1-7"', '"a", W/"scan_1-7"', "*"]) {
			const answer = await get({ "if-none-match": tag, "cache-control": "no-cache" });
			assert.is(answer.status, 304, tag);
			assert.is(answer.text, "");
			assert.is(answer.headers["etag"], 'W/"scan_1-7"');
		}
		assert.is((await get({ "if-none-match": '"scan_1-8"' })).status, 200);
		const head = await api.call("HEAD", "/api/v1/probe/tagged", { token });
		assert.is(head.status, 200);
		assert.is(head.text, "");
	}),
);

test(
	"a key named __proto__ is unknown like any other: ignored, at any depth and in any spelling",
	within(8000, async () => {
		const post = (raw: string) => api.call("POST", "/api/v1/probe/echo", { token, raw });
		for (const raw of [
			'{"__proto__":{"list":["no"]},"list":[1]}',
			'{"list":[1],"__proto__":5}',
			'{"\\u005f_proto__":{"list":["no"]},"list":[1],"deep":[{"__proto__":{"polluted":1}}]}',
			'{"constructor":{"prototype":{"polluted":1}},"list":[1]}',
		]) {
			const answer = await post(raw);
			assert.equal([answer.status, answer.json], [202, { list: [1] }], raw);
		}
		isProblem(await post('{"__proto__":{"list":["no"]},"list":["x"]}'), 422, "validation_failed");
		isProblem(await post('{"__proto__":{},"list":[1]'), 400, "malformed_json");
		assert.is(({} as Record<string, unknown>)["polluted"], undefined);
	}),
);

test(
	"CORS: known origins with credentials, on errors too; every OPTIONS is public",
	within(8000, async () => {
		const origin = "https://app.example";
		const failed = await api.call("GET", "/api/v1/auth/me", { headers: { origin } });
		assert.is(failed.status, 401);
		assert.is(failed.headers["access-control-allow-origin"], origin);
		assert.is(failed.headers["access-control-allow-credentials"], "true");
		assert.match(
			failed.headers["access-control-expose-headers"] ?? "",
			/Retry-After,Location,ETag,Content-Location,X-Request-ID,X-RateLimit-Limit/,
		);
		const preflight = await api.call("OPTIONS", "/api/v1/auth/me", {
			headers: { origin, "access-control-request-method": "GET" },
		});
		assert.is(preflight.status, 204);
		assert.is(preflight.headers["access-control-allow-origin"], origin);
		assert.is(preflight.headers["access-control-max-age"], "600");
		assert.is(preflight.headers["cache-control"], "no-store", "a shared cache must not keep it");
		const foreign = await api.call("GET", "/livez", { headers: { origin: "https://evil.example" } });
		assert.is(foreign.headers["access-control-allow-origin"], undefined);
		assert.is((await api.call("OPTIONS", "/api/v1/anything")).status, 204);
	}),
);

test(
	"answers carry security headers and no upgrade to https; long ones are compressed",
	within(8000, async () => {
		const answer = await api.call("GET", "/api/v1/probe/tagged", { token, headers: { "accept-encoding": "gzip" } });
		assert.is(answer.headers["content-encoding"], "gzip");
		assert.match(answer.headers["content-security-policy"] ?? "", /script-src 'self'(;|$)/);
		assert.not.match(answer.headers["content-security-policy"] ?? "", /upgrade-insecure-requests/);
		assert.is(answer.headers["x-content-type-options"], "nosniff");
	}),
);

test(
	"the reference page loads nothing from elsewhere",
	within(8000, async () => {
		const page = await api.call("GET", "/docs");
		assert.is(page.status, 200);
		assert.not.match(page.text, /https?:\/\//);
		for (const [, file] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
			const answer = await api.call("GET", String(file));
			assert.is(answer.status, 200, file);
			if (file?.endsWith(".js")) assert.is(answer.headers["content-type"], "text/javascript; charset=utf-8");
		}
		const initializer = await api.call("GET", "/docs/initializer.js");
		assert.match(initializer.text, /validatorUrl: null/);
	}),
);

test("two routes of one method and path are refused at start", async () => {
	try {
		await world.second({ deps: { routes: [...probes, ...probes.slice(0, 1)] } });
		assert.unreachable("expected a refusal");
	} catch (error) {
		assert.match((error as Error).message, /two routes for get/);
	}
});

test.run();
