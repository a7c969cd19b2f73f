import { findStrategy, strategyKey } from "../../catalogue.ts";
import { ApiError } from "../../errors.ts";
import type { ApiDeps } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import { listPoliciesReply, policyBody, policyParams, policyReply } from "../schemas/policies.ts";

function keyOf(word: string): string {
	const entry = findStrategy(word);
	if (!entry) throw new ApiError("strategy_not_found");
	return strategyKey(entry);
}

const admin = { tag: "admin", roles: ["admin"], rate: "other" } as const;
const one = { 200: { description: "The effective policy", schema: policyReply } };

/** Policies of strategies; effective from the next scan on every process. */
export const policyRoutes = ({ users: { policies } }: ApiDeps): RouteSpec[] => [
	route({
		...admin,
		method: "get",
		path: "/admin/opportunity-policies",
		operation_id: "list_policies",
		summary: "Effective policies of all strategies",
		responses: { 200: { description: "By priority, then key", schema: listPoliciesReply } },
		async handler() {
			const list = await policies.list();
			return { status: 200, body: { success: true, policies: list, count: list.length } };
		},
	}),
	route({
		...admin,
		method: "put",
		path: "/admin/opportunity-policies/{strategy_key}",
		operation_id: "set_policy",
		summary: "Change the fields sent of a strategy's policy",
		params: policyParams,
		body: policyBody,
		responses: one,
		problems: ["strategy_not_found"],
		async handler({ params, body }) {
			return { status: 200, body: { success: true, policy: await policies.set(keyOf(params.strategy_key), body) } };
		},
	}),
	route({
		...admin,
		method: "delete",
		path: "/admin/opportunity-policies/{strategy_key}",
		operation_id: "reset_policy",
		summary: "Restore a strategy's default policy",
		params: policyParams,
		responses: one,
		problems: ["strategy_not_found"],
		async handler({ params }) {
			return { status: 200, body: { success: true, policy: await policies.reset(keyOf(params.strategy_key)) } };
		},
	}),
];
