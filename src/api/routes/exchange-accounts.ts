import type { AccountBook } from "../../exchange/account-book.ts";
import type { ExchangeCredentials } from "../../exchange/contract.ts";
import { type RouteSpec, route } from "../route.ts";
import {
	accountParams,
	accountReply,
	accountsReply,
	addAccountBody,
	changeAccountBody,
} from "../schemas/exchange-accounts.ts";

const common = { tag: "portfolio", rate: "other" } as const;
const writing = { ...common, roles: ["admin", "trader"] } as const;
const of = (description: string) => ({ description, schema: accountReply });

const credentialsOf = (body: {
	api_key: string;
	secret: string;
	password?: string | null | undefined;
}): ExchangeCredentials => ({ api_key: body.api_key, secret: body.secret, password: body.password ?? null });

/** Accounts at exchanges whose holdings count to the portfolio; the owner's alone. */
export const createExchangeAccountRoutes = (book: AccountBook): RouteSpec[] => [
	route({
		...common,
		method: "get",
		path: "/portfolio/accounts",
		operation_id: "list_exchange_accounts",
		summary: "The own exchange accounts, oldest first",
		responses: { 200: { description: "Accounts without their keys", schema: accountsReply } },
		handler: async ({ viewer }) => ({
			status: 200,
			body: { success: true, accounts: await book.list(viewer.user_id) },
		}),
	}),
	route({
		...writing,
		method: "post",
		path: "/portfolio/accounts",
		operation_id: "add_exchange_account",
		summary: "Add an exchange account by a key that can only read; the key never comes back",
		body: addAccountBody,
		responses: { 201: of("The account; its key has been tried out, last_error says how it went") },
		problems: ["account_key_too_powerful", "limit_reached"],
		async handler({ viewer, body, signal }) {
			const entry = { exchange: body.exchange, label: body.label ?? null, credentials: credentialsOf(body) };
			const account = await book.add(viewer.user_id, entry, signal);
			return { status: 201, body: { success: true, account } };
		},
	}),
	route({
		...common,
		method: "get",
		path: "/portfolio/accounts/{account_id}",
		operation_id: "get_exchange_account",
		summary: "One of the own exchange accounts",
		params: accountParams,
		responses: { 200: of("The account without its key") },
		problems: ["account_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, account: await book.get(viewer.user_id, params.account_id) },
		}),
	}),
	route({
		...writing,
		method: "patch",
		path: "/portfolio/accounts/{account_id}",
		operation_id: "change_exchange_account",
		summary: "Change the label, or put a new key in place of the old one",
		params: accountParams,
		body: changeAccountBody,
		responses: { 200: of("The account as it is now") },
		problems: ["account_not_found", "account_key_too_powerful"],
		async handler({ viewer, params, body, signal }) {
			const { label, api_key, secret, password } = body;
			const whole = api_key !== undefined && secret !== undefined;
			const credentials = whole ? credentialsOf({ api_key, secret, password }) : undefined;
			const account = await book.change(viewer.user_id, params.account_id, { label, credentials }, signal);
			return { status: 200, body: { success: true, account } };
		},
	}),
	route({
		...writing,
		method: "delete",
		path: "/portfolio/accounts/{account_id}",
		operation_id: "delete_exchange_account",
		summary: "Take an exchange account out of the portfolio; its key is erased",
		params: accountParams,
		responses: { 200: of("The account as it was") },
		problems: ["account_not_found"],
		handler: async ({ viewer, params }) => ({
			status: 200,
			body: { success: true, account: await book.remove(viewer.user_id, params.account_id) },
		}),
	}),
];
