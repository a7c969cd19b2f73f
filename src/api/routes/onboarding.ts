import type { ApiDeps } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import { onboardQuery, onboardReply } from "../schemas/onboarding.ts";

/** Onboarding. Its body is ignored, whatever it is. */
export const onboardingRoutes = ({ users, clock }: ApiDeps): RouteSpec[] => [
	route({
		method: "post",
		path: "/opportunities/onboard",
		operation_id: "onboard",
		summary: "Welcome credits and the free strategies, once",
		tag: "user",
		rate: "onboard",
		once: {},
		query: onboardQuery,
		responses: { 200: { description: "What the first onboarding did", schema: onboardReply } },
		problems: ["package_not_allowed"],
		async handler({ viewer, query }) {
			const startedAtMs = clock.now();
			const { welcome_package, referral_code } = query;
			const { answer, already_onboarded } = await users.onboarding.onboard(viewer.user_id, {
				welcome_package,
				referral_code: referral_code ?? null,
			});
			const { onboarded_at, next_steps, ...first } = answer;
			const execution_time_ms = clock.now() - startedAtMs;
			return { status: 200, body: { ...first, execution_time_ms, onboarded_at, next_steps, already_onboarded } };
		},
	}),
];
