import { ApiError } from "../../errors.ts";
import type { Queries } from "../../queries.ts";
import type { AccountReader } from "../../services.ts";
import { type RouteSpec, route } from "../route.ts";
import { userStatusReply } from "../schemas/diagnostics.ts";

export interface UserStatusDependencies {
	queries: Queries;
	accounts: AccountReader;
}

/** Where a user stands. */
export const userStatusRoutes = ({ queries, accounts }: UserStatusDependencies): RouteSpec[] => [
	route({
		method: "get",
		path: "/opportunities/user-status",
		operation_id: "user_status",
		summary: "Onboarding, newest scan and next step of the caller",
		tag: "user",
		rate: "other",
		responses: { 200: { description: "One schema for every user", schema: userStatusReply } },
		async handler({ viewer }) {
			const account = await accounts.byId(viewer.user_id);
			if (!account) throw new ApiError("user_not_found");
			return { status: 200, body: await queries.userStatus(account) };
		},
	}),
];
