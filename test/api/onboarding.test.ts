import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startWorld, type TestApi, within } from "../support/api.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let api: TestApi;
let admin: string;

const test = suite("API: onboarding");
test.before(async () => {
	world = await startWorld();
	api = world.api;
	admin = String((await api.login())["access_token"]);
});
test.after(() => world.stop());

const onboard = (token: string, query = "", body: unknown = {}) =>
	api.call("POST", `/api/v1/opportunities/onboard${query}`, { token, body });

test(
	"F16: onboarding is all or nothing, repeatable, and the same for parallel calls",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const answers = await Promise.all(Array.from({ length: 5 }, () => onboard(user.token)));
		const first = answers.find((answer) => answer.json["already_onboarded"] === false);
		assert.is(answers.filter((answer) => answer.json["already_onboarded"] === false).length, 1);
		assert.match(first?.text ?? "", /"success":true,"onboarding_id":"onboard_[0-9a-f-]{36}_\d+"/);
		assert.is(new Set(answers.map((answer) => answer.json["onboarding_id"])).size, 1);
		assert.equal(await api.users.credits.summary(user.user_id), {
			has_account: true,
			granted: 25,
			used: 0,
			expired: 0,
			balance: 25,
		});
		const results = first?.json["results"] as Record<string, Record<string, unknown>>;
		assert.is(results["credit_account"]?.["action"], "created");
		assert.is(results["credit_account"]?.["credits_granted"], 25);
		assert.is(results["referral_bonus"]?.["code"], null);
		const account = await api.users.accounts.byId(user.user_id);
		assert.is(account?.onboarded_at, first?.json["onboarded_at"]);
	}),
);

test(
	"the body of onboard is ignored, whatever it is",
	within(5000, async () => {
		const user = await api.userWith("trader");
		const answer = await api.call("POST", "/api/v1/opportunities/onboard", {
			token: user.token,
			raw: "{not json",
			headers: { "content-type": "text/plain" },
		});
		assert.is(answer.status, 200);
		assert.is((await onboard(user.token, "?welcome_package=gold")).status, 422);
	}),
);

test(
	"a referral pays both sides once; a code that names nobody else is reported, not fatal",
	within(8000, async () => {
		const [referrer, user, loner] = [
			await api.userWith("trader"),
			await api.userWith("trader"),
			await api.userWith("trader"),
		];
		const answer = await onboard(user.token, `?referral_code=${referrer.user_id}`);
		const bonus = (answer.json["results"] as Record<string, Record<string, unknown>>)["referral_bonus"];
		assert.equal(bonus, { success: true, code: null, credits_granted: 25 });
		await onboard(user.token, `?referral_code=${referrer.user_id}`);
		await api.users.onboarding.settleReferrals();
		assert.is((await api.users.credits.summary(user.user_id)).balance, 50);
		assert.is((await api.users.credits.summary(referrer.user_id)).balance, 75);
		for (const code of [loner.user_id, "nobody", "00000000-0000-4000-8000-000000000000"]) {
			const own = await api.userWith("trader");
			const token = code === loner.user_id ? loner.token : own.token;
			const refused = await onboard(token, `?referral_code=${code}`);
			assert.is(refused.status, 200);
			const failed = (refused.json["results"] as Record<string, Record<string, unknown>>)["referral_bonus"];
			assert.equal(failed, { success: false, code: "invalid_referral_code", credits_granted: 0 });
		}
		const later = await onboard(referrer.token);
		assert.is(
			(later.json["results"] as Record<string, Record<string, unknown>>)["credit_account"]?.["action"],
			"already_initialized",
		);
		assert.is((await api.users.credits.summary(referrer.user_id)).balance, 100);
	}),
);

test(
	"the premium package needs a grant",
	within(8000, async () => {
		const user = await api.userWith("trader");
		const refused = await onboard(user.token, "?welcome_package=premium");
		assert.is(refused.status, 403);
		assert.is(refused.json["code"], "package_not_allowed");
		assert.is((await api.users.credits.summary(user.user_id)).has_account, false);
		assert.is(
			(
				await api.call("PATCH", `/api/v1/admin/users/${user.user_id}`, {
					token: admin,
					body: { premium_welcome: true },
				})
			).status,
			200,
		);
		assert.is((await onboard(user.token, "?welcome_package=premium")).status, 200);
		assert.is((await api.users.credits.summary(user.user_id)).balance, 225);
	}),
);

test.run();
