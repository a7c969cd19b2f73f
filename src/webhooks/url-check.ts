import { lookup } from "node:dns/promises";
import { type Clock, limited } from "../clock.ts";
import { ApiError } from "../errors.ts";
import { type AddressRule, addressIn, isLocalName } from "./addresses.ts";
import { parseWebhookUrl } from "./webhook-book.ts";

/** A name that does not answer in time is judged when something is delivered, as every name is again. */
const RESOLVE_LIMIT_MS = 2_000;

export type ResolveAll = (host: string) => Promise<readonly { address: string }[]>;
const systemResolve: ResolveAll = (host) => lookup(host, { all: true });

/**
 * Judges the address of a webhook when it is set, so that a mistake is told at once. What protects is the check
 * at each delivery: names may change what they mean.
 *
 * @returns the URL as it is called. Throws url_not_allowed, validation_failed.
 */
export function createUrlCheck(
	{ allowPrivate, allowed, clock }: { allowPrivate: boolean; allowed: AddressRule; clock: Clock },
	resolve: ResolveAll = systemResolve,
): (text: string) => Promise<string> {
	return async (text) => {
		const url = parseWebhookUrl(text);
		if (allowPrivate) return url.href;
		const address = addressIn(url);
		const refused =
			address !== null ? !allowed(address) : isLocalName(url.hostname) || (await leadsInside(url.hostname));
		if (refused) throw new ApiError("url_not_allowed", "The URL leads to a private or reserved address");
		return url.href;
	};

	async function leadsInside(host: string): Promise<boolean> {
		try {
			const found = await limited(clock, RESOLVE_LIMIT_MS, "resolving", resolve(host));
			return found.some(({ address }) => !allowed(address));
		} catch {
			return false;
		}
	}
}
