/** What must not stand in any file of the repository. */
import { type Finding, lineOf } from "./source.ts";

export interface TextFile {
	path: string;
	text: string;
}

interface ForbiddenText {
	pattern: RegExp;
	message: string;
	/** Tests may hold it as a made-up example. */
	allowedInTests: boolean;
}

/** Folder names in pieces, so that this file does not find itself. */
const MACHINE_FOLDERS = ["wo" + "rk", "tm" + "p", "ho" + "me", "Us" + "ers"].join("|");

const FORBIDDEN: readonly ForbiddenText[] = [
	{
		pattern: new RegExp(`(?:^|[^\\w.})-])/(?:${MACHINE_FOLDERS})/[A-Za-z]`, "gm"),
		message: "a path of one machine",
		allowedInTests: false,
	},
	{
		pattern: new RegExp(`\\bregistry\\.[a-z]+\\.[a-z]|${"npm"}${"mirror"}`, "g"),
		message: "a package host",
		allowedInTests: false,
	},
	{
		pattern: /\b(?:CONTRACT|DESIGN|STRATEGIES|ENGINES|LIBRARIES)(?:\.md\b| (?:section )?\d)/g,
		message: "a document that its reader does not have; say what it says",
		allowedInTests: false,
	},
	{ pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/g, message: "a private key", allowedInTests: false },
	{ pattern: /\bAKIA[0-9A-Z]{16}\b/g, message: "an access key", allowedInTests: false },
	{ pattern: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}/g, message: "a signed token", allowedInTests: true },
	{
		pattern: /\b[a-z]+:\/\/[^\s/:@"'`<>$*]*:[^\s/@"'`<>$*]{3,}@[\w[]/g,
		message: "an address with a password",
		allowedInTests: true,
	},
	{
		pattern: /\b(?:password|passwd|secret|api_?key|access_?token)["']?\s*[:=]\s*["'][^"'\s${}<>]{8,}["']/gi,
		message: "a credential in clear",
		allowedInTests: true,
	},
];

const isExample = (path: string): boolean => path.startsWith("test/");

export const forbiddenTexts = (files: readonly TextFile[]): Finding[] =>
	files.flatMap(({ path, text }) =>
		FORBIDDEN.filter((rule) => !(rule.allowedInTests && isExample(path))).flatMap((rule) =>
			[...text.matchAll(rule.pattern)].map((match) => ({
				path,
				line: lineOf(text, match.index),
				message: rule.message,
			})),
		),
	);
