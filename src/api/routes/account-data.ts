import type { StoredAccount } from "../../accounts/exchange-account-store.ts";
import { viewOf } from "../../accounts/exchange-account-view.ts";
import type { Users } from "../../accounts/users.ts";
import type { Clock } from "../../clock.ts";
import { isoOf } from "../../clock.ts";
import { ApiError } from "../../errors.ts";
import type { Queries } from "../../queries.ts";
import type { UserRemoval } from "../../services.ts";
import { spliceJson } from "../../views/json.ts";
import type { ApiMeter } from "../deps.ts";
import { type RouteSpec, route } from "../route.ts";
import { deleteMeBody, exportQuery, exportReply } from "../schemas/account-data.ts";
import { doneReply } from "../schemas/auth.ts";
import { userParams } from "../schemas/users.ts";
import { userView } from "./admin-users.ts";
import { verifyCredentials } from "./auth.ts";

export interface AccountDataDependencies {
	users: Users;
	removal: UserRemoval;
	queries: Pick<Queries, "scanExport">;
	clock: Pick<Clock, "now">;
	meter?: ApiMeter;
	alerts: AlertLists;
}

/** The user's recurring scans and webhooks as their owner sees them: without secrets. */
export interface AlertLists {
	schedules: { list(userId: string): Promise<object[]> };
	webhooks: { list(userId: string): Promise<object[]> };
}

const NO_STORE = { cache_control: "no-store" } as const;

function exchangeAccountOf(account: StoredAccount) {
	const { held } = account.state;
	const positions = held?.positions.map(({ symbol, quantity, entry_price }) => ({ symbol, quantity, entry_price }));
	return {
		...viewOf(account),
		cash_usd: held?.cash_usd ?? null,
		positions: positions ?? [],
		as_of: held ? isoOf(held.as_of_ms) : null,
	};
}

const exportMe = (deps: AccountDataDependencies) =>
	route({
		method: "get",
		path: "/auth/me/export",
		operation_id: "export_me",
		summary: "Everything of the signed-in user as one JSON document",
		tag: "auth",
		rate: "other",
		query: exportQuery,
		responses: {
			200: { description: "Account, portfolio, credits, schedules, webhooks and scans", schema: exportReply },
		},
		async handler({ viewer, query }) {
			const { users, queries, clock, alerts } = deps;
			const { user_id } = viewer;
			const [account, portfolio, held, sums, entries, schedules, webhooks, { scans, next_cursor }] = await Promise.all([
				users.accounts.byId(user_id),
				users.portfolios.get(user_id),
				users.exchangeAccounts.list(user_id),
				users.credits.summary(user_id),
				users.credits.entries(user_id),
				alerts.schedules.list(user_id),
				alerts.webhooks.list(user_id),
				queries.scanExport.scans(viewer, query.cursor ?? null),
			]);
			if (!account) throw new ApiError("token_revoked");
			const { granted, used, expired, balance } = sums;
			const { positions, cash_usd, version, updated_at } = portfolio;
			const facts = {
				success: true,
				exported_at: isoOf(clock.now()),
				account: userView(account),
				portfolio: { positions, cash_usd, version, updated_at },
				exchange_accounts: held.map(exchangeAccountOf),
				credits: { granted, used, expired, balance, entries },
				schedules,
				webhooks,
				next_cursor,
			};
			return { status: 200, body: spliceJson(facts, { scans }), ...NO_STORE };
		},
	});

const deleteMe = (deps: AccountDataDependencies) =>
	route({
		method: "delete",
		path: "/auth/me",
		operation_id: "delete_me",
		summary: "Delete the own account with everything of it; running scans are cancelled",
		tag: "auth",
		rate: "other",
		body: deleteMeBody,
		responses: { 200: { description: "The account is gone, its e-mail is free", schema: doneReply } },
		problems: ["invalid_credentials", "login_rate_limited", "overloaded"],
		async handler({ viewer, body, address }) {
			const account = await deps.users.accounts.byId(viewer.user_id);
			const verified = account && (await verifyCredentials(deps, address, account.email, body.password));
			if (!verified) throw new ApiError("invalid_credentials");
			await deps.removal.remove(viewer.user_id, viewer.user_id);
			return { status: 200, body: { success: true, message: "The account and all its data are deleted" }, ...NO_STORE };
		},
	});

const deleteUser = ({ removal }: AccountDataDependencies) =>
	route({
		method: "delete",
		path: "/admin/users/{user_id}",
		operation_id: "delete_user",
		summary: "Delete an account with everything of it; running scans are cancelled",
		tag: "admin",
		roles: ["admin"],
		rate: "other",
		params: userParams,
		responses: { 200: { description: "The account is gone, its e-mail is free", schema: doneReply } },
		problems: ["user_not_found", "validation_failed"],
		async handler({ viewer, params }) {
			if (!(await removal.remove(params.user_id, viewer.user_id))) throw new ApiError("user_not_found");
			return { status: 200, body: { success: true, message: "The account and all its data are deleted" } };
		},
	});

/** What a user may take along, and the end of an account. */
export const createAccountDataRoutes = (dependencies: AccountDataDependencies): RouteSpec[] => [
	exportMe(dependencies),
	deleteMe(dependencies),
	deleteUser(dependencies),
];
