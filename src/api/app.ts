import type { IncomingMessage, ServerResponse } from "node:http";
import Koa, { type Middleware } from "koa";
import { ApiError } from "../errors.ts";
import { type Admit, createAdmit, createAdmitUser } from "./admit.ts";
import { authenticate } from "./authenticate.ts";
import type { ApiDeps, RootRoute } from "./deps.ts";
import { dispatch } from "./dispatch.ts";
import { docsRoutes } from "./docs.ts";
import { encodedTags } from "./encoded-tags.ts";
import { createKnownReads } from "./known-reads.ts";
import { createLifetime } from "./lifetime.ts";
import { openApiRoute } from "./openapi.ts";
import { problems } from "./problems.ts";
import { API_PREFIX } from "./reply.ts";
import { rootPaths } from "./root.ts";
import type { RouteSpec } from "./route.ts";
import { adminUserRoutes } from "./routes/admin-users.ts";
import { authRoutes } from "./routes/auth.ts";
import { healthRoutes } from "./routes/health.ts";
import { onboardingRoutes } from "./routes/onboarding.ts";
import { policyRoutes } from "./routes/policies.ts";
import { portfolioRoutes } from "./routes/portfolio.ts";
import { strategyRoutes } from "./routes/strategies.ts";
import { compression, crossOrigin, publicOptions, securityHeaders } from "./security.ts";
import { staticFiles } from "./static.ts";

/** A Koa app that does not listen; its caller listens, and closes it in order. */
export interface ApiApp extends Koa {
	/** /readyz answers 503, new requests too; waiting long polls answer at once, running ones finish. */
	beginShutdown(): void;
	/** Requests that have not been answered yet. */
	inFlight(): number;
	/** Every route below /api/v1. */
	readonly routes: readonly RouteSpec[];
}

/** All routes of this server below /api/v1: the users' own and those of the other parts. */
export function routeTable(deps: ApiDeps): RouteSpec[] {
	return [
		...authRoutes(deps),
		...adminUserRoutes(deps),
		...policyRoutes(deps),
		...portfolioRoutes(deps),
		...onboardingRoutes(deps),
		...strategyRoutes(deps),
		...(deps.routes ?? []),
	];
}

const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);

/** The default of every answer, preflights included; what may be kept says so itself. */
const withoutStoring: Middleware = (ctx, next) => {
	ctx.set("Cache-Control", "no-store");
	return next();
};

/** A call without a valid token counts by its address, so that guessing is limited too. */
const countingStrangers =
	(middleware: Middleware, admit: Admit): Middleware =>
	async (ctx, next) => {
		let known = false;
		try {
			await middleware(ctx, () => {
				known = true;
				return next();
			});
		} catch (error) {
			if (known) throw error;
			// Whatever the limiter says or cannot say, a stranger is refused.
			await admit(ctx, "other").catch((refusal: unknown) => {
				throw refusal instanceof ApiError ? refusal : error;
			});
			throw error;
		}
	};

/** Runs `middleware` unless the path is public: by the table, or as a file of the dashboard or the reference page. */
function unlessPublic(routes: readonly RouteSpec[], middleware: Middleware): Middleware {
	const open = new Set(routes.filter((spec) => spec.public).map((spec) => `${API_PREFIX}${spec.path}`));
	const isFile = (path: string) => path === "/" || path.startsWith("/assets/") || path.startsWith("/docs/");
	return (ctx, next) => (open.has(withoutSlash(ctx.path)) || isFile(ctx.path) ? next() : middleware(ctx, next));
}

/**
 * The HTTP side of a process. Order: request id, errors, headers, CORS, compression, draining, public
 * paths, then for everything else: token, admission (login, account, limit), route, role, body, handler. Before all
 * of them stand reads whose answer is known.
 */
export function createApp(deps: ApiDeps): ApiApp {
	const { clock, config, entropy, logger, meter, users } = deps;
	const lifetime = createLifetime(clock, entropy, meter);
	const admitUser = createAdmitUser(users.gatekeeper, config.rate);
	const admit = createAdmit(users.gatekeeper, admitUser, config.rate, meter);
	const { remembered, middleware: authenticated } = authenticate(users.signingKeys, clock);
	const routes = config.healthOnly ? [] : routeTable(deps);
	const rootRoutes: RootRoute[] = [
		...healthRoutes(deps.health, clock, lifetime.draining),
		...(config.healthOnly ? [] : [openApiRoute(routes, config.version), ...docsRoutes()]),
		...(deps.rootRoutes ?? []),
	];
	const health = new Set(rootRoutes.filter((route) => route.health).map((route) => route.path));

	const app = new Koa();
	app.proxy = config.trustProxyHops > 0;
	// Only as many forwarded addresses are believed as proxies of ours have written.
	app.maxIpsCount = config.trustProxyHops;
	app.silent = true;
	app.on("error", (error: Error) =>
		logger.warn({ error_name: error.name, error_message: error.message }, "connection failed"),
	);
	app.use((ctx, next) => lifetime.begin(ctx, next));
	app.use(problems(logger));
	app.use(securityHeaders);
	app.use(withoutStoring);
	app.use(crossOrigin(config.corsOrigins));
	app.use(encodedTags);
	app.use(compression());
	app.use(lifetime.refuseNew((path) => health.has(path)));
	app.use(publicOptions);
	app.use(rootPaths(rootRoutes, admit));
	app.use(staticFiles(config.staticDir));
	app.use(unlessPublic(routes, countingStrangers(authenticated, admit)));
	for (const middleware of dispatch(routes, { admit, idempotency: users.idempotency, clock })) app.use(middleware);
	const whole = app.callback();
	const known = createKnownReads({ routes, lifetime, clock, meter, remembered, admitUser, whole });
	return Object.assign(app, {
		callback: () => (request: IncomingMessage, response: ServerResponse) =>
			known(request, response) ? undefined : whole(request, response),
		beginShutdown: () => lifetime.beginShutdown(),
		inFlight: () => lifetime.inFlight(),
		routes,
	});
}
