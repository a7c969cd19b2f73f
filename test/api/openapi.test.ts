import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { API_PREFIX } from "../../src/api/reply.ts";
import type { RouteSpec } from "../../src/api/route.ts";
import { REASON_CODES } from "../../src/api/schemas/reason-codes.ts";
import { ERROR_CODES } from "../../src/errors.ts";
import { ADMIN, type Answer, observers, PASSWORD, startWorld, type TestApi, within } from "../support/api.ts";
import { scanRoutesOnFake } from "../support/full-table.ts";
import { SCAN_ID } from "../support/records.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
type Json = Record<string, unknown>;
let world: World;
let api: TestApi;
let document: Json;
let admin: string;

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true, logger: false });
(addFormats as unknown as (target: Ajv2020) => void)(ajv);

const at = (value: unknown, ...path: string[]): unknown =>
	path.reduce<unknown>((node, key) => (node as Json | undefined)?.[key], value);

/** The route a call went to, by its template. */
function specOf(method: string, path: string): RouteSpec | undefined {
	const bare = path.split("?")[0] ?? "";
	return api.app.routes.find((spec) => {
		const pattern = new RegExp(`^${API_PREFIX}${spec.path.replace(/\{\w+\}/g, "[^/]+")}$`);
		return spec.method === method.toLowerCase() && pattern.test(bare);
	});
}

/** What is wrong with an answer by the description; empty when it keeps its promise. */
function violations(method: string, path: string, answer: Answer): string[] {
	const spec = specOf(method, path);
	if (!spec || answer.status === 304) return [];
	const response = at(
		document,
		"paths",
		`${API_PREFIX}${spec.path}`,
		spec.method,
		"responses",
		String(answer.status),
	) as Json | undefined;
	if (!response) return [`status ${answer.status} (${String(answer.json["code"])}) is not described`];
	const problem = answer.status >= 400;
	if (problem && !String(response["description"]).split(", ").includes(String(answer.json["code"])))
		return [`code ${String(answer.json["code"])} is not described for ${answer.status}`];
	const schema = at(response, "content", problem ? "application/problem+json" : "application/json", "schema");
	const validate = ajv.compile({ ...(schema as Json), components: document["components"] } as Json);
	return validate(answer.json) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

const test = suite("API: description and replies");
test.before(async () => {
	world = await startWorld({
		deps: { routes: scanRoutesOnFake(() => api.users) },
		config: { rate: { discoverMax: 1_000_000, onboardMax: 1_000_000, otherMax: 1_000_000 } },
	});
	api = world.api;
	document = (await api.call("GET", "/openapi.json")).json;
	admin = String((await api.login())["access_token"]);
});
test.after(async () => {
	observers.length = 0;
	await world.stop();
});

test(
	"the description is valid OpenAPI 3.1 and lists every route, code and reason",
	within(10000, async () => {
		const result = await new Validator().validate(structuredClone(document));
		assert.ok(result.valid, JSON.stringify(result.errors));
		assert.match(String(document["openapi"]), /^3\.1/);
		for (const spec of api.app.routes)
			assert.ok(at(document, "paths", `${API_PREFIX}${spec.path}`, spec.method), spec.path);
		assert.equal(at(document, "components", "schemas", "ErrorCode", "enum"), Object.keys(ERROR_CODES));
		assert.equal(at(document, "components", "schemas", "ReasonCode", "enum"), [...REASON_CODES]);
		assert.ok(at(document, "components", "securitySchemes", "bearer"));
	}),
);

test(
	"every reply of a walk through all routes matches the description",
	within(15000, async () => {
		const found: string[] = [];
		let checked = 0;
		observers.push((method, path, answer) => {
			checked += 1;
			for (const violation of violations(method, path, answer))
				found.push(`${method} ${path} ${answer.status}: ${violation}`);
		});
		const user = await api.userWith("trader");
		const calls: [method: string, path: string, body?: Json | undefined, token?: string][] = [
			["POST", "/auth/login", ADMIN],
			["POST", "/auth/login", { email: "a@example.com", password: PASSWORD }],
			["POST", "/auth/login", {}],
			["POST", "/auth/register", { email: "walker@example.com", password: PASSWORD }],
			["POST", "/auth/refresh", { refresh_token: user.refresh }],
			["POST", "/auth/refresh", { refresh_token: "x.y.z" }],
			["GET", "/auth/me"],
			["GET", "/auth/me", undefined, "a.b.c"],
			["POST", "/auth/password", { current_password: "wrong", new_password: PASSWORD }],
			["POST", "/auth/password", { current_password: PASSWORD, new_password: PASSWORD }],
			["POST", "/opportunities/onboard"],
			["POST", "/opportunities/onboard"],
			["POST", "/opportunities/onboard?welcome_package=gold"],
			["GET", "/portfolio"],
			["PUT", "/portfolio", { positions: [{ symbol: "BTC/USDT", quantity: 1 }], cash_usd: 5 }],
			["PUT", "/portfolio", {}],
			["POST", "/portfolio/accounts", { exchange: "binance", api_key: "walker-key-1", secret: "walker-secret-1" }],
			["POST", "/portfolio/accounts", { exchange: "binance", api_key: "strong-key-1", secret: "walker-secret-1" }],
			["POST", "/portfolio/accounts", { exchange: "nowhere", api_key: "walker-key-1", secret: "walker-secret-1" }],
			["POST", "/portfolio/accounts", { exchange: "binance" }],
			["GET", "/portfolio/accounts"],
			["GET", "/portfolio/accounts/none"],
			["PATCH", "/portfolio/accounts/none", { label: "x" }],
			["PATCH", "/portfolio/accounts/none", { api_key: "walker-key-1" }],
			["DELETE", "/portfolio/accounts/none"],
			["GET", "/portfolio"],
			["GET", "/strategies/my-portfolio"],
			["GET", "/unified-strategies/portfolio"],
			["GET", "/strategies/available"],
			["GET", "/admin/users"],
			["POST", "/admin/users", { email: "made@example.com", password: PASSWORD, role: "viewer" }, admin],
			["POST", "/admin/users", { email: "made@example.com", password: PASSWORD, role: "viewer" }, admin],
			["GET", "/admin/users?limit=2", undefined, admin],
			["PATCH", `/admin/users/${user.user_id}`, { premium_welcome: true }, admin],
			["PATCH", "/admin/users/none", {}, admin],
			["GET", "/admin/opportunity-policies", undefined, admin],
			["PUT", "/admin/opportunity-policies/scalping_strategy", { enabled: false }, admin],
			["DELETE", "/admin/opportunity-policies/scalping_strategy", undefined, admin],
			["DELETE", "/admin/opportunity-policies/none", undefined, admin],
			["GET", "/admin-strategy-access/admin-portfolio-status", undefined, admin],
			["GET", "/auth/me/export"],
			["GET", "/auth/me/export?cursor=none"],
			["DELETE", "/admin/users/none", undefined, admin],
			["DELETE", "/auth/me", {}],
			["DELETE", "/auth/me", { password: "wrong" }],
			["POST", "/auth/logout"],
			["GET", "/auth/me"],
		];
		for (const [method, path, body, token] of calls)
			await api.call(method, `${API_PREFIX}${path}`, { token: token ?? user.token, body });
		assert.equal(found, []);
		assert.is(checked, calls.length);
	}),
);

const json = fc.jsonValue({ maxDepth: 3 });
const knownNames = [
	"email",
	"password",
	"role",
	"strategy_ids",
	"status",
	"positions",
	"cash_usd",
	"refresh_token",
	"max_symbols",
	"enabled",
	"__proto__",
	"constructor",
	"toString",
];
const body = fc.oneof(json, fc.dictionary(fc.oneof(fc.constantFrom(...knownNames), fc.string()), json));
const query = fc.array(
	fc.tuple(
		fc.constantFrom("limit", "cursor", "welcome_package", "referral_code", "wait", "__proto__", "a[b]"),
		fc.string(),
	),
	{ maxLength: 4 },
);
const segment = fc.oneof(fc.string(), fc.uuid(), fc.constantFrom("%", "..", "%00", "{x}", "scan_", "latest", SCAN_ID));

test(
	"no body, query or path ever gives a 5xx, and every reply matches the description",
	within(60000, async () => {
		const others = api.app.routes.filter((spec) => spec.path !== "/auth/logout" && spec.path !== "/auth/password");
		const user = await api.userWith("admin");
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(...others.map((spec) => spec.operation_id)),
				body,
				query,
				segment,
				async (id, value, pairs, word) => {
					const spec = others.find((candidate) => candidate.operation_id === id) as RouteSpec;
					const path = spec.path.replace(/\{\w+\}/g, encodeURIComponent(word) || "x");
					const search =
						pairs.length > 0 ? `?${pairs.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join("&")}` : "";
					const answer = await api.call(spec.method.toUpperCase(), `${API_PREFIX}${path}${search}`, {
						token: user.token,
						body: value,
					});
					assert.ok(
						answer.status < 500,
						`${spec.method} ${path}${search} ${JSON.stringify(value)}: ${answer.status} ${answer.text}`,
					);
					assert.equal(
						violations(spec.method, `${API_PREFIX}${path}`, answer),
						[],
						`${spec.method} ${path}${search} ${JSON.stringify(value)}`,
					);
				},
			),
			{ numRuns: 300, includeErrorInReport: true },
		);
	}),
);

test(
	"broken bytes in place of JSON never give a 5xx",
	within(30000, async () => {
		const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
		await fc.assert(
			fc.asyncProperty(
				bytes,
				fc.constantFrom("application/json", "text/plain", "application/json; charset=utf-8", ";;;", "a/b+json"),
				async (raw, type) => {
					const answer = await api.call("POST", `${API_PREFIX}/auth/refresh`, {
						raw,
						headers: { "content-type": type },
					});
					assert.ok([400, 401, 415, 422].includes(answer.status), `${answer.status} ${answer.text}`);
				},
			),
			{ numRuns: 100, includeErrorInReport: true },
		);
	}),
);

test(
	"strange headers never give a 5xx",
	within(20000, async () => {
		const header = fc.tuple(
			fc.constantFrom(
				"if-none-match",
				"if-match",
				"origin",
				"x-request-id",
				"x-forwarded-for",
				"accept-encoding",
				"accept",
				"host",
				"access-control-request-method",
				"range",
				"expect-ct",
				"authorization",
			),
			fc.string({ unit: "grapheme-ascii", maxLength: 80 }),
		);
		const token = (await api.userWith("trader")).token;
		await fc.assert(
			fc.asyncProperty(
				fc.array(header, { maxLength: 5 }),
				fc.constantFrom("GET", "HEAD", "PUT", "OPTIONS", "DELETE"),
				async (pairs, method) => {
					const headers: Record<string, string> = {};
					for (const [name, value] of pairs) headers[name] = value;
					const answer = await api.call(method, `${API_PREFIX}/portfolio`, {
						token: headers["authorization"] === undefined ? token : undefined,
						headers,
					});
					assert.ok(answer.status < 500, `${answer.status} ${JSON.stringify(headers)}`);
				},
			),
			{ numRuns: 150, includeErrorInReport: true },
		);
	}),
);

test.run();
