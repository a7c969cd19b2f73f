import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admission } from "../accounts/admission.ts";
import type { AccessClaims } from "../accounts/tokens.ts";
import type { Clock } from "../clock.ts";
import { isStoreFailure } from "../store-failure.ts";
import type { AdmitUser } from "./admit.ts";
import type { ApiMeter } from "./deps.ts";
import { type Encoding, plainEncoding } from "./encodings.ts";
import { createKnownAnswer } from "./known-answer.ts";
import type { Lifetime } from "./lifetime.ts";
import { API_PREFIX } from "./reply.ts";
import type { KnownReply, RouteSpec } from "./route.ts";
import { keepPrelude } from "./state.ts";

/** Takes a request if it can, before anything else sees it. */
export type KnownReads = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface KnownReadsParts {
	routes: readonly RouteSpec[];
	lifetime: Lifetime;
	clock: Clock;
	meter: ApiMeter | undefined;
	/** Claims of a token that was verified before and has not expired. */
	remembered(authorization: string | undefined): AccessClaims | null;
	admitUser: AdmitUser;
	/** Takes a request the whole way, through every middleware. */
	whole(request: IncomingMessage, response: ServerResponse): unknown;
}

type Known = NonNullable<RouteSpec["known"]>;

interface KnownRoute {
	spec: RouteSpec;
	known: Known;
	/** The path up to the one parameter at its end. */
	prefix: string;
	/** The template, as counters name it. */
	template: string;
}

const PARAMETER_AT_END = /^([^{}]+)\{\w+\}$/;
const WORD = /^[A-Za-z0-9_-]{1,100}$/;

function knownRoutes(specs: readonly RouteSpec[]): KnownRoute[] {
	return specs.flatMap((spec) => {
		const { known } = spec;
		if (!known) return [];
		const path = PARAMETER_AT_END.exec(spec.path)?.[1];
		if (path === undefined || spec.method !== "get" || spec.roles || spec.public || spec.allow_revoked)
			throw new Error(`${spec.path}: known answers are for GETs of every role whose path ends in its parameter`);
		return [{ spec, known, prefix: API_PREFIX + path, template: API_PREFIX + spec.path }];
	});
}

/** Nothing that needs more than is done here: a body, another origin, an expectation. */
const isPlain = ({ method, headers }: IncomingMessage): boolean =>
	method === "GET" &&
	headers.origin === undefined &&
	headers["content-length"] === undefined &&
	headers["transfer-encoding"] === undefined &&
	headers.expect === undefined;

/** A request on the short way. */
interface Read {
	request: IncomingMessage;
	response: ServerResponse;
	route: KnownRoute;
	encoding: Encoding | null;
	startedAtMs: number;
	admission: Promise<Admission>;
}

/**
 * The short way of reads that are repeated again and again: the answers and headers of the middlewares, for requests
 * about which nothing is unusual. The caller's token was verified before; login, account and limit are asked in the
 * store as ever, and at the same time the route is asked for what it has ready. Whatever else comes out (a refusal,
 * a failure, news that have to be read) goes the whole way, which takes over the admission: a call is counted once.
 */
export function createKnownReads(parts: KnownReadsParts): KnownReads {
	const { lifetime, clock, meter, remembered, admitUser, whole } = parts;
	const routes = knownRoutes(parts.routes);
	const answer = createKnownAnswer(lifetime);

	function routeOf(url: string): KnownRoute | null {
		for (const route of routes) if (url.startsWith(route.prefix)) return route;
		return null;
	}

	const goTheWholeWay = ({ request, response, startedAtMs, admission }: Read, failure?: unknown): void => {
		keepPrelude(request, { startedAtMs, admission, failure });
		whole(request, response);
		lifetime.leave();
	};

	function end({ route, startedAtMs }: Read, status: number): void {
		lifetime.leave();
		meter?.request(route.template, "GET", status, clock.now() - startedAtMs);
	}

	function decide(read: Read, admitted: Admission, reply: KnownReply | null): void | Promise<void> {
		if (reply === null || admitted.kind !== "admitted" || admitted.rate?.allowed === false) return goTheWholeWay(read);
		const { request, response, encoding } = read;
		const sent = answer({ request, response, encoding, rate: admitted.rate }, reply);
		return typeof sent === "number" ? end(read, sent) : sent.then((status) => end(read, status));
	}

	return (request, response) => {
		const url = request.url ?? "";
		const route = routeOf(url);
		if (!route || !isPlain(request) || lifetime.draining()) return false;
		const word = url.slice(route.prefix.length);
		const encoding = plainEncoding(request.headers["accept-encoding"] as string | undefined);
		const claims = remembered(request.headers.authorization);
		if (!WORD.test(word) || encoding === undefined || claims === null) return false;
		const startedAtMs = clock.now();
		const asked = admitUser(claims, route.spec.rate);
		const read: Read = { request, response, route, encoding, startedAtMs, admission: asked };
		lifetime.enter();
		Promise.all([asked, route.known({ user_id: claims.sub, role: claims.role }, word)])
			.then(
				([admitted, reply]) => decide(read, admitted, reply),
				(failure: unknown) => goTheWholeWay(read, isStoreFailure(failure) ? failure : undefined),
			)
			.catch(() => goTheWholeWay(read));
		return true;
	};
}
