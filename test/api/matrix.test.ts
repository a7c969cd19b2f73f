import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROLES } from "../../src/accounts/permissions.ts";
import { API_PREFIX } from "../../src/api/reply.ts";
import type { RouteSpec } from "../../src/api/route.ts";
import { startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;

/** Who may call what, written down apart from the code (CONTRACT.md 3.1, 8.5, 9, 10.9). */
const RESTRICTED: Record<string, readonly string[]> = {
	"post /admin/users": ["admin"],
	"get /admin/users": ["admin"],
	"patch /admin/users/{user_id}": ["admin"],
	"get /admin/opportunity-policies": ["admin"],
	"put /admin/opportunity-policies/{strategy_key}": ["admin"],
	"delete /admin/opportunity-policies/{strategy_key}": ["admin"],
	"get /admin-strategy-access/admin-portfolio-status": ["admin"],
	"put /portfolio": ["admin", "trader"],
};
const PUBLIC = ["post /auth/login", "post /auth/refresh", "post /auth/register"];

const nameOf = (spec: RouteSpec): string => `${spec.method} ${spec.path}`;
const urlOf = (spec: RouteSpec): string =>
	`${API_PREFIX}${spec.path.replace(/\{\w+\}/g, "00000000-0000-4000-8000-000000000000")}`;

const test = suite("API: role x route");
test.before(async () => {
	world = await startWorld({ config: { rate: { discoverMax: 1000, onboardMax: 1000, otherMax: 100_000 } } });
	api = world.api;
});
test.after(() => world.stop());

test("the table and the list above name the same routes", () => {
	const restricted = api.app.routes.filter((spec) => spec.roles).map(nameOf);
	assert.equal(restricted.sort(), Object.keys(RESTRICTED).sort());
	assert.equal(
		api.app.routes
			.filter((spec) => spec.public)
			.map(nameOf)
			.sort(),
		[...PUBLIC].sort(),
	);
	const ids = api.app.routes.map((spec) => spec.operation_id);
	assert.is(new Set(ids).size, ids.length);
});

test(
	"without a token every route but the public ones is 401",
	within(10000, async () => {
		for (const spec of api.app.routes) {
			const answer = await api.call(spec.method.toUpperCase(), urlOf(spec), { raw: "{broken" });
			const expected = PUBLIC.includes(nameOf(spec)) ? 400 : 401;
			assert.is(answer.status, expected, nameOf(spec));
			if (expected === 401) assert.is(answer.headers["www-authenticate"], "Bearer");
		}
	}),
);

for (const role of ROLES) {
	test(
		`${role}: 403 exactly where the role may not, before the body is looked at`,
		within(10000, async () => {
			for (const spec of api.app.routes) {
				const user = await api.userWith(role);
				const answer = await api.call(spec.method.toUpperCase(), urlOf(spec), {
					token: user.token,
					body: { nonsense: true },
				});
				const allowed = RESTRICTED[nameOf(spec)]?.includes(role) ?? true;
				if (allowed) assert.is.not(answer.status, 403, nameOf(spec));
				else assert.is(answer.json["code"], "insufficient_permissions", nameOf(spec));
				assert.ok(answer.status < 500, `${nameOf(spec)}: ${answer.status}`);
			}
		}),
	);
}

test.run();
