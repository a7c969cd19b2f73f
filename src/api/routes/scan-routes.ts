import type { Clock } from "../../clock.ts";
import type { CandleQueries } from "../../queries/candles.ts";
import type { Queries } from "../../queries.ts";
import type { AccountReader, ScanCommands } from "../../services.ts";
import type { RouteSpec } from "../route.ts";
import { candleRoutes } from "./candles.ts";
import { diagnosticsRoutes } from "./diagnostics.ts";
import { historyRoutes } from "./history.ts";
import { machineRoutes } from "./machines.ts";
import { metricsRoutes } from "./metrics.ts";
import { type ParseFilters, scanRoutes } from "./scans.ts";
import { userStatusRoutes } from "./user-status.ts";
import { valuationRoutes } from "./valuation.ts";

export interface ScanRoutesDependencies {
	queries: Queries;
	commands: ScanCommands;
	accounts: AccountReader;
	parseFilters: ParseFilters;
	clock: Pick<Clock, "now">;
	/** Absent: the process has no market to read bars from, and no endpoint for them. */
	candles?: CandleQueries;
}

/** Every route about scans: start, read, cancel, diagnose. */
export const createScanRoutes = (dependencies: ScanRoutesDependencies): RouteSpec[] => [
	...scanRoutes(dependencies),
	...historyRoutes(dependencies),
	...valuationRoutes(dependencies),
	...machineRoutes(dependencies),
	...(dependencies.candles ? candleRoutes(dependencies.candles) : []),
	...metricsRoutes(dependencies),
	...userStatusRoutes(dependencies),
	...diagnosticsRoutes(dependencies),
];
