/** Calls that have a proper place, and words that have none. */
import { type Finding, matchesIn, type SourceFile } from "./source.ts";

interface BannedCall {
	pattern: RegExp;
	message: string;
	/** Path -> why it may. */
	allowed: Record<string, string>;
	/** Also in tests. */
	everywhere: boolean;
}

export const BANNED_CALLS: readonly BannedCall[] = [
	{
		pattern: /\bDate\.now\b/,
		message: "take a Clock (src/clock.ts) instead of Date.now",
		allowed: { "src/clock.ts": "the one place that reads the wall clock" },
		everywhere: false,
	},
	{
		pattern: /\bnew Date\(\s*\)/,
		message: "take a Clock (src/clock.ts) instead of new Date()",
		allowed: {},
		everywhere: true,
	},
	{
		pattern: /\bMath\.random\b/,
		message: "take a seed or an Entropy (src/entropy.ts) instead of Math.random",
		allowed: {},
		everywhere: true,
	},
	{
		pattern: /\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/,
		message: "take an Entropy (src/entropy.ts)",
		allowed: { "src/entropy.ts": "the one place that asks for randomness" },
		everywhere: false,
	},
	{
		pattern: /\bconsole\s*\./,
		message: "take a Logger (src/log.ts) instead of console",
		allowed: {},
		everywhere: true,
	},
	{
		pattern: /\bas any\b|:\s*any\b|<any>|\bany\[\]/,
		message: "name the type or use unknown instead of any",
		allowed: {},
		everywhere: true,
	},
	{
		pattern: /[\w)\]]!(?=[.[);,\s])(?!=)/,
		message: "handle the absent value instead of asserting it away with !",
		allowed: {},
		everywhere: true,
	},
	{
		pattern:
			/\b(?:create|place|submit|edit|cancel|close)(?:Market|Limit|Stop)?(?:Buy|Sell)?(?:Order|Position)s?\b|\bwithdraw\w*\s*\(/i,
		message: "nothing that a scan can reach may trade: no order execution in this program",
		allowed: {},
		everywhere: false,
	},
];

const isTest = (path: string): boolean => path.startsWith("test/");

export function bannedCalls(files: readonly SourceFile[]): Finding[] {
	return files.flatMap((file) =>
		BANNED_CALLS.filter((call) => !(file.path in call.allowed) && (call.everywhere || !isTest(file.path))).flatMap(
			(call) => matchesIn(file, call.pattern, call.message),
		),
	);
}

/** Spelled apart so that this file does not find itself. */
const UNFINISHED = new RegExp(
	`\\b(?:${["TO", "FIX"].map((word) => `${word}${word === "TO" ? "DO" : "ME"}`).join("|")})\\b`,
);

/** Marks of unfinished work, in comments as well. */
export const unfinishedMarks = (files: readonly SourceFile[]): Finding[] =>
	files.flatMap((file) => matchesIn({ ...file, code: file.text }, UNFINISHED, "finish it or leave it out"));

/** Uses of an allowance that nobody needs any more. */
export const needlessAllowances = (files: readonly SourceFile[]): string[] =>
	BANNED_CALLS.flatMap((call) =>
		Object.keys(call.allowed).filter((path) => {
			const file = files.find((candidate) => candidate.path === path);
			return !file || matchesIn(file, call.pattern, "").length === 0;
		}),
	);
