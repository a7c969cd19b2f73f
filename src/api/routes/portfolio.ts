import { createHash } from "node:crypto";
import type { StoredAccount } from "../../accounts/exchange-account-store.ts";
import { viewOf } from "../../accounts/exchange-account-view.ts";
import { isoOf } from "../../clock.ts";
import { ApiError, validationFailed } from "../../errors.ts";
import type { StoredPortfolio } from "../../services.ts";
import type { Position } from "../../strategies/contract.ts";
import type { ApiDeps } from "../deps.ts";
import { tagMatchesStrongly } from "../etag.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import { portfolioBody, portfolioReply } from "../schemas/portfolio.ts";

const tagOf = (userId: string, version: number): string => `"portfolio-${userId.slice(0, 8)}-${version}"`;

/** A reading of an exchange account changes what is shown, not what was entered: such tags guard it alike. */
const withoutReadings = (guard: string): string => guard.replace(/\.[0-9a-f]{12}"/g, '"');

function shownAccounts(accounts: readonly StoredAccount[]) {
	const positions = accounts.flatMap(({ account_id, state }) =>
		(state.held?.positions ?? []).map(({ symbol, quantity, entry_price }) => ({
			symbol,
			quantity,
			entry_price,
			account_id,
		})),
	);
	const facts = accounts.map((account) => {
		const { account_id, exchange, status } = viewOf(account);
		const { held } = account.state;
		return {
			account_id,
			exchange,
			status,
			cash_usd: held?.cash_usd ?? null,
			as_of: held ? isoOf(held.as_of_ms) : null,
		};
	});
	return { positions, facts };
}

function reply(userId: string, portfolio: StoredPortfolio, accounts: readonly StoredAccount[]): ApiReply {
	const { cash_usd, version, updated_at } = portfolio;
	const body = { success: true, user_id: userId, positions: portfolio.positions, cash_usd, version, updated_at };
	if (accounts.length === 0) return { status: 200, body, etag: tagOf(userId, version) };
	const { positions, facts } = shownAccounts(accounts);
	const read = createHash("sha256")
		.update(JSON.stringify([positions, facts]))
		.digest("hex")
		.slice(0, 12);
	return {
		status: 200,
		body: { ...body, positions: [...portfolio.positions, ...positions], accounts: facts },
		etag: tagOf(userId, version).replace(/"$/, `.${read}"`),
	};
}

/** Positions to be stored. Those of exchange accounts, sent on as they were read, stay where they are. */
function enteredOf(
	positions: readonly {
		symbol: string;
		quantity: number;
		entry_price?: number | null | undefined;
		account_id?: string | null | undefined;
	}[],
	accounts: readonly StoredAccount[],
): Position[] {
	const known = new Set(accounts.map(({ account_id }) => account_id));
	const strange = positions.findIndex(({ account_id }) => account_id != null && !known.has(account_id));
	if (strange >= 0)
		throw validationFailed([
			{ path: `body.positions.${strange}.account_id`, message: "is no exchange account of yours" },
		]);
	return positions
		.filter(({ account_id }) => account_id == null)
		.map(({ symbol, quantity, entry_price }) => ({ symbol, quantity, entry_price: entry_price ?? null }));
}

/** The portfolio a user has entered, with what the user's exchange accounts held when they were last read. */
export const portfolioRoutes = ({ users: { portfolios, exchangeAccounts } }: ApiDeps): RouteSpec[] => [
	route({
		method: "get",
		path: "/portfolio",
		operation_id: "get_portfolio",
		summary: "The own portfolio: as entered, with the holdings of exchange accounts as last read",
		tag: "portfolio",
		rate: "other",
		responses: { 200: { description: "Positions and cash", schema: portfolioReply } },
		async handler({ viewer: { user_id } }) {
			const [portfolio, accounts] = await Promise.all([portfolios.get(user_id), exchangeAccounts.list(user_id)]);
			return reply(user_id, portfolio, accounts);
		},
	}),
	route({
		method: "put",
		path: "/portfolio",
		operation_id: "put_portfolio",
		summary: "Replace what was entered; If-Match guards against a change in between",
		tag: "portfolio",
		roles: ["admin", "trader"],
		rate: "other",
		body: portfolioBody,
		responses: { 200: { description: "The portfolio as stored", schema: portfolioReply } },
		problems: ["precondition_failed"],
		async handler({ viewer, body, headers }) {
			const guard = headers["if-match"];
			let expected: number | null = null;
			if (guard !== undefined) {
				const { version } = await portfolios.get(viewer.user_id);
				if (!tagMatchesStrongly(withoutReadings(guard), tagOf(viewer.user_id, version)))
					throw new ApiError("precondition_failed");
				expected = guard.trim() === "*" ? null : version;
			}
			const accounts = await exchangeAccounts.list(viewer.user_id);
			const positions = enteredOf(body.positions, accounts);
			const stored = await portfolios.put(viewer.user_id, positions, body.cash_usd, expected);
			if (!stored) throw new ApiError("precondition_failed");
			return reply(viewer.user_id, stored, accounts);
		},
	}),
];
