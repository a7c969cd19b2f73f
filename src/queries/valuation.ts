import { isoOf } from "../clock.ts";
import type { PortfolioValuation } from "../effects/fetch-portfolio.ts";
import type { ScanReader, Viewer } from "../store/contract.ts";
import { absentError, foundOr } from "./absent.ts";
import type { ScanLookup } from "./lookup.ts";

export interface ValuationQueries {
	/** How the capital of a scan came about; null parts before it was known. Throws scan_not_found, scan_expired. */
	valuation(viewer: Viewer, scanId: string): Promise<object>;
}

export function createValuationQueries(lookup: ScanLookup, reader: Pick<ScanReader, "document">): ValuationQueries {
	return {
		async valuation(viewer, scanId) {
			const record = foundOr(await lookup.byId(viewer, scanId), absentError);
			const { portfolio } = record.context;
			const kept = portfolio && (await reader.document<PortfolioValuation>(record.scan_id, "portfolio_valuation"));
			return {
				success: true,
				scan_id: record.scan_id,
				capital_usd: portfolio?.capital_usd ?? null,
				assumed: portfolio?.assumed ?? null,
				source: portfolio?.source ?? null,
				valuation: kept && { ...kept, ...(kept.accounts ? { accounts: kept.accounts.map(accountView) } : {}) },
			};
		},
	};
}

const accountView = ({ as_of_ms, ...report }: NonNullable<PortfolioValuation["accounts"]>[number]): object => ({
	...report,
	as_of: as_of_ms === null ? null : isoOf(as_of_ms),
});
