import type { StoredAccount } from "../../accounts/account-store.ts";
import { CATALOGUE, findStrategy } from "../../catalogue.ts";
import { ApiError, type ProblemField, validationFailed } from "../../errors.ts";
import type { ApiDeps } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	createUserBody,
	createUserReply,
	listUsersQuery,
	listUsersReply,
	patchUserBody,
	patchUserReply,
	type UserView,
	userParams,
} from "../schemas/users.ts";

/** Names of strategies as ids in catalogue order. Throws validation_failed naming each unknown one. */
export function resolveStrategies(words: readonly string[] | undefined): string[] | undefined {
	if (words === undefined) return undefined;
	const problems: ProblemField[] = [];
	const ids = new Set<string>();
	for (const [index, word] of words.entries()) {
		const entry = findStrategy(word);
		if (entry) ids.add(entry.id);
		else problems.push({ path: `body.strategy_ids.${index}`, message: "no such strategy" });
	}
	if (problems.length > 0) throw validationFailed(problems);
	return CATALOGUE.filter((entry) => ids.has(entry.id)).map((entry) => entry.id);
}

export const userView = (account: StoredAccount): UserView => ({
	user_id: account.user_id,
	email: account.email,
	full_name: account.full_name,
	role: account.role,
	status: account.status,
	strategy_ids: account.strategy_ids,
	created_at: account.created_at,
	last_login: account.last_login,
	premium_welcome: account.premium_welcome,
	onboarded_at: account.onboarded_at,
});

const createUser = ({ users }: ApiDeps) =>
	route({
		method: "post",
		path: "/admin/users",
		operation_id: "create_user",
		summary: "Create an account",
		tag: "admin",
		roles: ["admin"],
		rate: "other",
		body: createUserBody,
		responses: { 201: { description: "The account", schema: createUserReply } },
		problems: ["email_taken", "overloaded"],
		async handler({ body }) {
			const strategyIds = resolveStrategies(body.strategy_ids);
			const password_hash = await users.passwords.hash(body.password);
			const base = { email: body.email, password_hash, full_name: null, role: body.role };
			const account = await users.accounts.create(strategyIds ? { ...base, strategy_ids: strategyIds } : base);
			const { user_id, email, role, status, strategy_ids, created_at } = account;
			return { status: 201, body: { success: true, user: { user_id, email, role, status, strategy_ids, created_at } } };
		},
	});

const listUsers = ({ users }: ApiDeps) =>
	route({
		method: "get",
		path: "/admin/users",
		operation_id: "list_users",
		summary: "All accounts in order of creation",
		tag: "admin",
		roles: ["admin"],
		rate: "other",
		query: listUsersQuery,
		responses: { 200: { description: "One page", schema: listUsersReply } },
		async handler({ query }) {
			const page = await users.accounts.list(query.limit, query.cursor ?? null);
			const { next_cursor, has_more } = page;
			return { status: 200, body: { success: true, users: page.accounts.map(userView), next_cursor, has_more } };
		},
	});

const patchUser = ({ users }: ApiDeps) =>
	route({
		method: "patch",
		path: "/admin/users/{user_id}",
		operation_id: "patch_user",
		summary: "Change role, status, strategies, premium grant or password of an account",
		tag: "admin",
		roles: ["admin"],
		rate: "other",
		params: userParams,
		body: patchUserBody,
		responses: { 200: { description: "The account after the change", schema: patchUserReply } },
		problems: ["user_not_found", "overloaded"],
		async handler({ params, body }) {
			if (!(await users.accounts.byId(params.user_id))) throw new ApiError("user_not_found");
			const strategy_ids = resolveStrategies(body.strategy_ids);
			const password_hash = body.new_password === undefined ? undefined : await users.passwords.hash(body.new_password);
			const { role, status, premium_welcome } = body;
			const account = await users.accounts.patch(params.user_id, {
				role,
				status,
				premium_welcome,
				strategy_ids,
				password_hash,
			});
			return { status: 200, body: { success: true, user: userView(account) } };
		},
	});

/** User administration. */
export const adminUserRoutes = (deps: ApiDeps): RouteSpec[] => [createUser(deps), listUsers(deps), patchUser(deps)];
