import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startWorld, within } from "../support/api.ts";
import { isProblem } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;

const OTHER_MAX = 8;
const config = { rate: { discoverMax: 30, onboardMax: 5, otherMax: OTHER_MAX }, trustProxyHops: 1 };

const test = suite("API: callers without a valid token");
test.before(async () => {
	world = await startWorld({ config });
});
test.after(() => world.stop());

const from = (address: string, path: string, token?: string) =>
	world.api.call("GET", path, { token, headers: { "x-forwarded-for": address } });

test(
	"they are counted by their address, whatever they show or ask for; users at the same address are not",
	within(10_000, async () => {
		const user = await world.api.userWith("trader");
		const address = "203.0.113.7";
		const tries: [path: string, token: string | undefined, code: string][] = [
			["/api/v1/auth/me", undefined, "authentication_required"],
			["/api/v1/auth/me", "a.b.c", "token_invalid"],
			["/api/v1/no/such/route", undefined, "authentication_required"],
			["/api/v1/opportunities/status/latest", `${user.token}x`, "token_invalid"],
		];
		for (let i = 0; i < OTHER_MAX; i += 1) {
			const [path, token, code] = tries[i % tries.length] as (typeof tries)[number];
			isProblem(await from(address, path, token), 401, code);
		}
		const refused = await from(address, "/api/v1/auth/me", "a.b.c");
		isProblem(refused, 429, "rate_limited");
		assert.ok(Number(refused.headers["retry-after"]) >= 1);
		isProblem(await from("203.0.113.8", "/api/v1/auth/me"), 401, "authentication_required");
		assert.is((await from(address, "/api/v1/auth/me", user.token)).status, 200);
	}),
);

test.run();
