import { existsSync } from "node:fs";
import type { Exchange } from "ccxt";

/** A class of one exchange, as ccxt exports it. */
export type ExchangeConstructor = new (settings?: Record<string, unknown>) => Exchange;

/** An exchange id that ccxt does not have, or a layout of the package that this version does not know. */
export class ExchangeLoadError extends Error {
	constructor(problem: string) {
		super(problem);
		this.name = "ExchangeLoadError";
	}
}

const ID = /^[a-z][a-z0-9]*$/;

/**
 * The class of one exchange, e.g. `binance`. Only its own file is read: the whole package costs some 400 ms and
 * 95 MB, one exchange about 170 ms and 30 MB. The package exports no sub-paths, so the file is found beside its
 * entry; the version of ccxt is pinned because of that. Throws ExchangeLoadError for an unknown id.
 */
export async function loadExchange(id: string): Promise<ExchangeConstructor> {
	const file = new URL(`./src/${id}.js`, import.meta.resolve("ccxt"));
	if (!ID.test(id) || !existsSync(file)) throw new ExchangeLoadError(`ccxt has no exchange '${id}'`);
	const module: { default?: unknown } = await import(file.href);
	if (typeof module.default !== "function") {
		throw new ExchangeLoadError(`${file.pathname} exports no exchange: is this the pinned version of ccxt?`);
	}
	return module.default as ExchangeConstructor;
}

/**
 * Sends every request of `exchange` to the origin of `baseUrl` (a replay exchange, a proxy of one's own): the paths
 * of its addresses stay. Throws ExchangeLoadError for an address that is no http or https one.
 */
export function redirectExchange(exchange: Exchange, baseUrl: string): void {
	const target = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
	if (target === null || !/^https?:$/.test(target.protocol)) {
		throw new ExchangeLoadError(`'${baseUrl}' is no http or https address`);
	}
	const redirected = (address: unknown): unknown => {
		if (typeof address === "string") {
			if (!/^(?:https?|wss?):\/\//.test(address)) return address;
			// ccxt leaves places to fill in inside some hosts; what follows the host is kept as it is written.
			const rest = address.replace(/^\w+:\/\/[^/]*/, "");
			return `${target.origin}${rest}`;
		}
		if (address === null || typeof address !== "object") return address;
		return Object.fromEntries(Object.entries(address).map(([name, value]) => [name, redirected(value)]));
	};
	exchange.urls["api"] = redirected(exchange.urls["api"]) as typeof exchange.urls.api;
}
