/** Rules between settings, checked after each setting has passed its own. */
import type { Settings } from "./settings.ts";

/** 127.0.0.0/8, ::1 and localhost: nobody outside this machine can connect. */
export function isLoopback(host: string): boolean {
	const name = host.toLowerCase().replace(/^\[|\]$/g, "");
	return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

interface Relation {
	setting: keyof Settings;
	broken(settings: Settings): boolean;
	message: string;
}

const servesUsers = (settings: Settings): boolean => settings.ROLE !== "worker";
const opensToOthers = (settings: Settings): boolean => servesUsers(settings) && !isLoopback(settings.HOST);

const RELATIONS: readonly Relation[] = [
	{
		setting: "REDIS_URL",
		broken: (settings) => settings.ROLE !== "all" && settings.REDIS_URL === null,
		message: "is required for ROLE=api and ROLE=worker, which meet only in Redis",
	},
	{
		setting: "JWT_SECRET",
		broken: (settings) => settings.JWT_SECRET === null && (settings.ROLE === "api" || opensToOthers(settings)),
		message: "is required for ROLE=api and whenever HOST is not a loopback address",
	},
	{
		setting: "ADMIN_PASSWORD",
		broken: (settings) => settings.ADMIN_PASSWORD === null && opensToOthers(settings),
		message: "is required whenever HOST is not a loopback address",
	},
	{
		setting: "ACCOUNTS_KEY",
		broken: (settings) => settings.ACCOUNTS_KEY !== null && settings.ACCOUNTS_KEY_FILE !== null,
		message: "and ACCOUNTS_KEY_FILE cannot both be set",
	},
	{
		setting: "HEARTBEAT_MS",
		broken: (settings) => settings.HEARTBEAT_MS >= settings.LEASE_MS,
		message: "must be below LEASE_MS, else every lease runs out between two heartbeats",
	},
	{
		setting: "HEARTBEAT_MS",
		broken: (settings) => settings.HEARTBEAT_MS >= settings.STUCK_AFTER_MS,
		message: "must be below STUCK_AFTER_MS, else every healthy scan counts as stuck",
	},
	{
		setting: "MARKET_AS_OF",
		broken: (settings) => settings.MARKET_AS_OF !== null && settings.MARKET?.kind === "ccxt",
		message: "cannot stop a live exchange; it is for recorded and simulated markets",
	},
];

export const relationProblems = (settings: Settings): { setting: string; message: string }[] =>
	RELATIONS.filter((relation) => relation.broken(settings)).map(({ setting, message }) => ({ setting, message }));
