/** Source files as the rules see them: whole text, and code without comments and quoted text. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";

export interface Import {
	/** As written. */
	specifier: string;
	/** Path from the project root for relative ones, else null. */
	target: string | null;
	typeOnly: boolean;
	/** Names between the braces, without aliases. */
	names: string[];
}

export interface SourceFile {
	/** From the project root, with slashes. */
	path: string;
	text: string;
	/** Same length and lines as `text`; comments, strings and regular expressions are blanks. */
	code: string;
	imports: Import[];
}

export interface Finding {
	path: string;
	/** From 1; 0 for the file as a whole. */
	line: number;
	message: string;
}

const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "data", "coverage", ".git"]);

/** Paths of all files under `folder`, from `root`, sorted. */
export function filesUnder(root: string, folder = ""): string[] {
	const entries = readdirSync(join(root, folder), { withFileTypes: true });
	return entries
		.flatMap((entry) => {
			const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
			if (entry.isSymbolicLink() || SKIPPED_FOLDERS.has(entry.name)) return [];
			return entry.isDirectory() ? filesUnder(root, path) : [path];
		})
		.sort();
}

export function readSource(root: string, path: string): SourceFile {
	return sourceOf(path, readFileSync(join(root, path), "utf8"));
}

export const sourceOf = (path: string, text: string): SourceFile => ({
	path,
	text,
	code: codeOnly(text),
	imports: importsOf(path, text),
});

const IMPORT = /^(?:import|export)\s+(type\s+)?(?:([^"';]*?)\s+from\s+)?["']([^"']+)["']/gm;

function importsOf(path: string, text: string): Import[] {
	return [...text.matchAll(IMPORT)].map((match) => {
		const specifier = match[3] ?? "";
		const members = (/\{([^}]*)\}/.exec(match[2] ?? "")?.[1] ?? "")
			.split(",")
			.map((name) => name.trim())
			.filter((name) => name !== "");
		const value = members.filter((name) => !name.startsWith("type "));
		const onlyTypes = match[1] !== undefined || (members.length > 0 && value.length === 0);
		return {
			specifier,
			target: specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : null,
			typeOnly: onlyTypes,
			names: members.map((name) => name.replace(/^type\s+/, "").replace(/\s+as\s+.*$/, "")),
		};
	});
}

export const lineOf = (text: string, index: number): number => text.slice(0, index).split("\n").length;

/** Findings for each match of `pattern` in the code. */
export function matchesIn(file: SourceFile, pattern: RegExp, message: string): Finding[] {
	const everywhere = new RegExp(pattern.source, pattern.flags.includes("g") ? pattern.flags : `${pattern.flags}g`);
	return [...file.code.matchAll(everywhere)].map((match) => ({
		path: file.path,
		line: lineOf(file.code, match.index),
		message,
	}));
}

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** A slash begins a regular expression where a value may begin. */
const VALUE_MAY_BEGIN = /(^|[=(,:[!&|?{};+\-*%<>~^\n]|\b(?:return|typeof|case|in|of|delete|void|await|yield))\s*$/;
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;

/** Where the quoted or commented piece that begins at `index` ends; `index` when none begins there. */
function pieceEnd(text: string, index: number, before: string): number {
	const two = text.slice(index, index + 2);
	if (two === "//") return endOr(text, text.indexOf("\n", index));
	if (two === "/*") return endOr(text, text.indexOf("*/", index + 2), 2);
	const first = text[index];
	if (first === '"' || first === "'") {
		const quoted = new RegExp(`${first}(?:\\\\.|[^${first}\\\\\\n])*${first}?`, "y");
		quoted.lastIndex = index;
		return index + (quoted.exec(text)?.[0].length ?? 1);
	}
	if (first === "/" && VALUE_MAY_BEGIN.test(before.slice(-40))) {
		REGEX.lastIndex = index;
		return index + (REGEX.exec(text)?.[0].length ?? 0);
	}
	return index;
}

const endOr = (text: string, found: number, length = 0): number => (found < 0 ? text.length : found + length);

/** Where the literal part of a template that goes on at `index` stops: past a closing quote or `${`. */
function templateEnd(text: string, index: number): number {
	const part = /(?:\\[\s\S]|[^`\\$]|\$(?!\{))*(?:`|\$\{)?/y;
	part.lastIndex = index;
	return index + (part.exec(text)?.[0].length ?? 0);
}

/** Blanks comments, strings, regular expressions and the literal parts of templates. */
export function codeOnly(text: string): string {
	let out = "";
	let index = 0;
	/** Depth of braces at which each open template goes on. */
	const templates: number[] = [];
	let depth = 0;
	const takeTemplate = (from: number): void => {
		const end = templateEnd(text, from);
		out += blank(text.slice(index, end));
		index = end;
		if (text.slice(0, end).endsWith("${")) templates.push(depth);
	};
	while (index < text.length) {
		const end = pieceEnd(text, index, out);
		if (end > index) {
			out += blank(text.slice(index, end));
			index = end;
			continue;
		}
		const character = text[index] ?? "";
		if (character === "`") {
			takeTemplate(index + 1);
			continue;
		}
		if (character === "}" && templates.at(-1) === depth) {
			templates.pop();
			takeTemplate(index + 1);
			continue;
		}
		if (character === "{") depth += 1;
		if (character === "}") depth -= 1;
		out += character;
		index += 1;
	}
	return out;
}
