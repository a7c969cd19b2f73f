import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROLES } from "../../src/accounts/permissions.ts";
import { API_PREFIX } from "../../src/api/reply.ts";
import type { RouteSpec } from "../../src/api/route.ts";
import { startWorld, type TestApi, within } from "../support/api.ts";
import { scanRoutesOnFake } from "../support/full-table.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;

/** Who may call what, written down apart from the code. */
const RESTRICTED: Record<string, readonly string[]> = {
	"post /admin/users": ["admin"],
	"get /admin/users": ["admin"],
	"patch /admin/users/{user_id}": ["admin"],
	"delete /admin/users/{user_id}": ["admin"],
	"get /admin/opportunity-policies": ["admin"],
	"put /admin/opportunity-policies/{strategy_key}": ["admin"],
	"delete /admin/opportunity-policies/{strategy_key}": ["admin"],
	"get /admin-strategy-access/admin-portfolio-status": ["admin"],
	"put /portfolio": ["admin", "trader"],
	"post /portfolio/accounts": ["admin", "trader"],
	"patch /portfolio/accounts/{account_id}": ["admin", "trader"],
	"delete /portfolio/accounts/{account_id}": ["admin", "trader"],
	"post /opportunities/discover": ["admin", "trader", "api_only"],
	"post /opportunities/scans/{scan_id}/cancel": ["admin", "trader", "api_only"],
	"post /opportunities/scans/{scan_id}/redrive": ["admin", "trader", "api_only"],
	"post /opportunities/schedules": ["admin", "trader", "api_only"],
	"patch /opportunities/schedules/{schedule_id}": ["admin", "trader", "api_only"],
	"delete /opportunities/schedules/{schedule_id}": ["admin", "trader", "api_only"],
	"post /webhooks": ["admin", "trader", "api_only"],
	"patch /webhooks/{webhook_id}": ["admin", "trader", "api_only"],
	"delete /webhooks/{webhook_id}": ["admin", "trader", "api_only"],
	"post /webhooks/{webhook_id}/deliveries/{delivery_id}/replay": ["admin", "trader", "api_only"],
	"get /opportunities/metrics": ["admin"],
	"post /opportunities/test-discovery": ["admin"],
	"delete /scan-diagnostics/clear-scan-cache/{user_id}": ["admin"],
	"get /scan-diagnostics/scan-metrics": ["admin"],
	"get /scan-diagnostics/stuck-scans": ["admin"],
	"get /scan-diagnostics/system": ["admin"],
};
/** Open to all roles for the own user only; the test asks for another's. */
const OWN_ONLY = ["get /scan-diagnostics/scan-history/{user_id}"];
const PUBLIC = ["post /auth/login", "post /auth/refresh", "post /auth/register"];

const nameOf = (spec: RouteSpec): string => `${spec.method} ${spec.path}`;
const urlOf = (spec: RouteSpec): string =>
	`${API_PREFIX}${spec.path.replace(/\{\w+\}/g, "00000000-0000-4000-8000-000000000000")}`;

const test = suite("API: role x route");
test.before(async () => {
	world = await startWorld({
		deps: { routes: scanRoutesOnFake(() => api.users) },
		config: { rate: { discoverMax: 1_000_000, onboardMax: 1_000_000, otherMax: 1_000_000 } },
	});
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
				const own = OWN_ONLY.includes(nameOf(spec));
				const allowed = own ? role === "admin" : (RESTRICTED[nameOf(spec)]?.includes(role) ?? true);
				if (allowed) assert.is.not(answer.status, 403, nameOf(spec));
				else assert.is(answer.json["code"], "insufficient_permissions", nameOf(spec));
				assert.ok(answer.status < 500, `${nameOf(spec)}: ${answer.status}`);
			}
		}),
	);
}

test.run();
