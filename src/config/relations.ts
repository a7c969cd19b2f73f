/** Rules between settings, checked after each setting has passed its own. */
import type { SettingName, Settings } from "./settings.ts";

/** 127.0.0.0/8, ::1 and localhost: nobody outside this machine can connect. */
export function isLoopback(host: string): boolean {
	const name = host.toLowerCase().replace(/^\[|\]$/g, "");
	return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

interface Relation {
	/** The first one is named in the message; when one of them is wrong by itself the rule is not judged. */
	reads: readonly [SettingName, ...SettingName[]];
	broken(settings: Settings): boolean;
	message: string;
}

const sendsInTheClear = (address: string): boolean => {
	const { protocol, hostname } = new URL(address);
	return protocol === "http:" && !isLoopback(hostname);
};

const servesUsers = (settings: Settings): boolean => settings.ROLE !== "worker";
const opensToOthers = (settings: Settings): boolean => servesUsers(settings) && !isLoopback(settings.HOST);

const RELATIONS: readonly Relation[] = [
	{
		reads: ["REDIS_URL", "ROLE"],
		broken: (settings) => settings.ROLE !== "all" && settings.REDIS_URL === null,
		message: "is required for ROLE=api and ROLE=worker, which meet only in Redis",
	},
	{
		reads: ["JWT_SECRET", "ROLE", "HOST"],
		broken: (settings) => settings.JWT_SECRET === null && (settings.ROLE === "api" || opensToOthers(settings)),
		message: "is required for ROLE=api and whenever HOST is not a loopback address",
	},
	{
		reads: ["ADMIN_PASSWORD", "ROLE", "HOST"],
		broken: (settings) => settings.ADMIN_PASSWORD === null && opensToOthers(settings),
		message: "is required whenever HOST is not a loopback address",
	},
	{
		reads: ["INSPECT_PORT", "HOST"],
		broken: (settings) => settings.INSPECT_PORT !== null && !isLoopback(settings.HOST),
		message: "is for development and asks for no login, so HOST must be a loopback address",
	},
	{
		reads: ["ACCOUNTS_KEY", "ACCOUNTS_KEY_FILE"],
		broken: (settings) => settings.ACCOUNTS_KEY !== null && settings.ACCOUNTS_KEY_FILE !== null,
		message: "and ACCOUNTS_KEY_FILE cannot both be set",
	},
	{
		reads: ["MARKET_AS_OF", "MARKET"],
		broken: (settings) => settings.MARKET_AS_OF !== null && settings.MARKET?.kind === "ccxt",
		message: "cannot stop a live exchange; it is for recorded and simulated markets",
	},
	{
		reads: ["MARKET_BASE_URL"],
		broken: ({ MARKET_BASE_URL: address }) => address !== null && sendsInTheClear(address),
		message: "must be https:// outside loopback: whoever stands between could answer with prices of his own",
	},
];

/** Broken rules among settings that are right by themselves. */
export const relationProblems = (
	settings: Settings,
	wrong: ReadonlySet<string> = new Set(),
): { setting: string; message: string }[] =>
	RELATIONS.filter(({ reads }) => !reads.some((name) => wrong.has(name)))
		.filter((relation) => relation.broken(settings))
		.map(({ reads, message }) => ({ setting: reads[0], message }));
