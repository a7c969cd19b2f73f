import { ApiError } from "../../errors.ts";
import type { StoredPortfolio } from "../../services.ts";
import type { ApiDeps } from "../deps.ts";
import { tagMatchesStrongly } from "../etag.ts";
import { type ApiReply, type RouteSpec, route } from "../route.ts";
import { portfolioBody, portfolioReply } from "../schemas/portfolio.ts";

const tagOf = (userId: string, version: number): string => `"portfolio-${userId.slice(0, 8)}-${version}"`;

function reply(userId: string, portfolio: StoredPortfolio): ApiReply {
	const { positions, cash_usd, version, updated_at } = portfolio;
	const body = { success: true, user_id: userId, positions, cash_usd, version, updated_at };
	return { status: 200, body, etag: tagOf(userId, version) };
}

/** The portfolio a user has entered (CONTRACT.md 8.5). */
export const portfolioRoutes = ({ users: { portfolios } }: ApiDeps): RouteSpec[] => [
	route({
		method: "get",
		path: "/portfolio",
		operation_id: "get_portfolio",
		summary: "The own portfolio as entered",
		tag: "portfolio",
		rate: "other",
		responses: { 200: { description: "Positions and cash", schema: portfolioReply } },
		handler: async ({ viewer }) => reply(viewer.user_id, await portfolios.get(viewer.user_id)),
	}),
	route({
		method: "put",
		path: "/portfolio",
		operation_id: "put_portfolio",
		summary: "Replace the own portfolio; If-Match guards against a change in between",
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
				if (!tagMatchesStrongly(guard, tagOf(viewer.user_id, version))) throw new ApiError("precondition_failed");
				expected = guard.trim() === "*" ? null : version;
			}
			const positions = body.positions.map(({ symbol, quantity, entry_price }) => ({
				symbol,
				quantity,
				entry_price: entry_price ?? null,
			}));
			const stored = await portfolios.put(viewer.user_id, positions, body.cash_usd, expected);
			if (!stored) throw new ApiError("precondition_failed");
			return reply(viewer.user_id, stored);
		},
	}),
];
