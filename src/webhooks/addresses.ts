import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Which addresses a webhook may call. A server that calls what its users name is a way into the network it
 * stands in (server-side request forgery), so only addresses of the public internet are called: not the own
 * machine, not private and shared ranges, not the metadata services of clouds, and no IPv6 address that wraps
 * an IPv4 one (mapped, NAT64, 6to4, Teredo), since what it leads to is decided elsewhere.
 */
export type AddressRule = (address: string) => boolean;

/** Global unicast of IPv6 (RFC 4291); everything outside is special. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
/** Documentation (RFC 3849, RFC 9637), and the metadata and wire service of Azure on a public address. */
const DOCUMENTATION = [ipaddr.IPv6.parseCIDR("2001:db8::/32"), ipaddr.IPv6.parseCIDR("3fff::/20")];
const METADATA = new Set(["168.63.129.16"]);

/** @param address IPv4 or IPv6, without brackets; a zone (`%eth0`) makes it a local one. */
export const isPublicAddress: AddressRule = (address) => {
	if (isIP(address) === 0 || address.includes("%")) return false;
	const parsed = ipaddr.parse(address);
	if (parsed.range() !== "unicast" || METADATA.has(parsed.toString())) return false;
	if (!(parsed instanceof ipaddr.IPv6)) return true;
	return parsed.match(GLOBAL_UNICAST) && !DOCUMENTATION.some((range) => parsed.match(range));
};

export const anyAddress: AddressRule = (address) => isIP(address) !== 0;

/** Names that mean the own machine or network whatever a resolver says. */
const LOCAL_NAME = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|arpa)\.?$/i;

/** Host of a URL as an address, or null when it is a name. */
export function addressIn(url: URL): string | null {
	const bare = url.hostname.replace(/^\[|\]$/g, "");
	return isIP(bare) === 0 ? null : bare;
}

export const isLocalName = (host: string): boolean => LOCAL_NAME.test(host) || !host.replace(/\.$/, "").includes(".");

export class AddressRefused extends Error {
	readonly code = "EADDRESSREFUSED";
	constructor() {
		super("the address is not allowed");
		this.name = "AddressRefused";
	}
}

/**
 * Resolves as the system does and refuses a name of which any address is not allowed. Given to the request
 * itself, so the address that was checked is the one that is connected to: a name that answers otherwise the
 * next time (DNS rebinding) gains nothing.
 */
export function guardedLookup(
	allowed: AddressRule,
	resolve: LookupFunction = systemLookup as LookupFunction,
): LookupFunction {
	return (hostname, options, callback) => {
		resolve(hostname, { ...options, all: true }, (error, found) => {
			if (error) return callback(error, "", 4);
			const addresses = Array.isArray(found) ? found : [];
			const [first] = addresses;
			if (!first || !addresses.every(({ address }) => allowed(address))) return callback(new AddressRefused(), "", 4);
			if (options.all) callback(null, addresses);
			else callback(null, first.address, first.family);
		});
	};
}
