import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from "@asteasolutions/zod-to-openapi";
import { type ZodType, z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors.ts";
import type { RootRoute } from "./deps.ts";
import { API_PREFIX } from "./reply.ts";
import type { RouteSpec } from "./route.ts";
import { problemSchema } from "./schemas/common.ts";
import { REASON_CODES } from "./schemas/reason-codes.ts";

/** Problems that any route can answer, by what the route asks for. */
function generalProblems(spec: RouteSpec): ErrorCode[] {
	const codes: ErrorCode[] = [
		"method_not_allowed",
		"internal_error",
		"store_unavailable",
		"shutting_down",
		"payload_too_large",
	];
	if (!spec.public) codes.push("authentication_required", "token_invalid", "token_expired");
	if (!spec.public && !spec.allow_revoked) codes.push("token_revoked");
	if (spec.roles) codes.push("insufficient_permissions");
	if (spec.rate !== "none") codes.push("rate_limited");
	if (spec.body) codes.push("malformed_json", "unsupported_media_type");
	if (spec.body || spec.query || spec.once) codes.push("validation_failed");
	if (spec.once) codes.push("idempotency_key_reused", "idempotency_in_flight");
	return codes;
}

type Responses = RouteConfig["responses"];

/** The schema as the generator takes it; what it cannot describe (custom checks) goes through zod's own JSON Schema. */
function described(schema: ZodType): ZodType | Record<string, unknown> {
	const probe = new OpenAPIRegistry();
	const content = { "application/json": { schema } };
	probe.registerPath({ method: "get", path: "/", responses: { 200: { description: "", content } } });
	try {
		new OpenApiGeneratorV31(probe.definitions).generateDocument({ openapi: "3.1.0", info: { title: "", version: "" } });
		return schema;
	} catch {
		const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
		return json;
	}
}

function problemResponses(spec: RouteSpec): Responses {
	const byStatus = new Map<number, string[]>();
	for (const code of new Set([...generalProblems(spec), ...(spec.problems ?? [])])) {
		const known = ERROR_CODES[code as ErrorCode];
		if (!known) throw new RangeError(`${spec.operation_id}: no error code '${code}'`);
		byStatus.set(known[0], [...(byStatus.get(known[0]) ?? []), code]);
	}
	const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
	const pairs = [...byStatus].map(
		([status, codes]) => [String(status), { description: codes.join(", "), content }] as const,
	);
	return Object.fromEntries(pairs) as Responses;
}

function successResponses(spec: RouteSpec): Responses {
	const pairs = Object.entries(spec.responses).map(([status, { description, schema, content_type }]) => {
		if (schema)
			return [status, { description, content: { "application/json": { schema: described(schema) } } }] as const;
		const content = content_type ? { content: { [content_type]: { schema: { type: "string" as const } } } } : {};
		return [status, { description, ...content }] as const;
	});
	return Object.fromEntries(pairs) as Responses;
}

function requestOf(spec: RouteSpec): NonNullable<RouteConfig["request"]> {
	const request: Record<string, unknown> = {};
	const names = [...spec.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
	// A path parameter without a schema of its own is a string.
	if (names.length > 0)
		request["params"] = spec.params ?? z.object(Object.fromEntries(names.map((name) => [name, z.string()])));
	if (spec.query) request["query"] = spec.query;
	if (spec.body) {
		// An empty body counts as {}: it must be there only if {} would be refused.
		const required = !spec.body.safeParse({}).success;
		request["body"] = { required, content: { "application/json": { schema: described(spec.body) } } };
	}
	if (spec.once) {
		const key = z
			.string()
			.min(1)
			.max(255)
			.optional()
			.describe("Repeating a request under the same key answers as first");
		request["headers"] = z.object({ "Idempotency-Key": key });
	}
	return request as NonNullable<RouteConfig["request"]>;
}

function registerRoute(registry: OpenAPIRegistry, spec: RouteSpec): void {
	registry.registerPath({
		method: spec.method,
		path: `${API_PREFIX}${spec.path}`,
		operationId: spec.operation_id,
		summary: spec.summary,
		tags: [spec.tag],
		security: spec.public ? [] : [{ bearer: [] }],
		request: requestOf(spec),
		// A status that is a success here and a problem elsewhere keeps its own description.
		responses: { ...problemResponses(spec), ...successResponses(spec) },
	});
}

/** The OpenAPI 3.1 document of the running server, from the schemas that validate. */
export function openApiDocument(routes: readonly RouteSpec[], version: string): object {
	const registry = new OpenAPIRegistry();
	registry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer", bearerFormat: "JWT" });
	const { $schema: _dialect, ...problem } = z.toJSONSchema(problemSchema);
	registry.registerComponent(
		"schemas",
		"Problem",
		problem as Parameters<typeof registry.registerComponent<"schemas">>[2],
	);
	registry.registerComponent("schemas", "ErrorCode", { type: "string", enum: Object.keys(ERROR_CODES) });
	registry.registerComponent("schemas", "ReasonCode", { type: "string", enum: [...REASON_CODES] });
	for (const spec of routes) registerRoute(registry, spec);
	return new OpenApiGeneratorV31(registry.definitions).generateDocument({
		openapi: "3.1.0",
		info: {
			title: "Lookout",
			version,
			description:
				"Durable, explained opportunity scans. Every error is application/problem+json; `code` is one of ErrorCode.",
		},
		servers: [{ url: "/" }],
	});
}

/** /openapi.json; generated at the first request, it costs a start nothing. */
export function openApiRoute(routes: readonly RouteSpec[], version: string): RootRoute {
	let document: string | null = null;
	return {
		path: "/openapi.json",
		rate: "other",
		async handler() {
			document ??= JSON.stringify(openApiDocument(routes, version));
			return { status: 200, body: document, cache_control: "no-cache" };
		},
	};
}
