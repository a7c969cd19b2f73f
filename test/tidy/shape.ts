/** Sizes, suites and machine ids. */
import type { Finding, SourceFile } from "./source.ts";

export const FILE_LINES_MAX = 300;
export const FUNCTION_LINES_MAX = 60;

/** What may exceed a limit, and up to which size. This list may only shrink. */
export const RATCHET: Record<string, number> = {
	// One machine in one file is easier to follow than the same states over three.
	"src/catalogue.ts": 306,
	"test/runtime/durable.test.ts": 370,
	// Wiring is one list of parts in their order.
};

const keyOf = (path: string, name: string | null): string => (name === null ? path : `${path}#${name}`);

/** Files over FILE_LINES_MAX lines. */
export const longFiles = (files: readonly SourceFile[], ratchet = RATCHET): Finding[] =>
	files
		.map((file) => ({ file, lines: file.text.trimEnd().split("\n").length }))
		.filter(({ file, lines }) => lines > (ratchet[keyOf(file.path, null)] ?? FILE_LINES_MAX))
		.map(({ file, lines }) => ({
			path: file.path,
			line: 0,
			message: `${lines} lines, over ${FILE_LINES_MAX}: split it`,
		}));

export interface FunctionSpan {
	name: string;
	/** Line of its head, from 1. */
	line: number;
	/** Its own lines: a function inside it counts as one, being judged by itself. */
	lines: number;
}

const NO_FUNCTION = /^(?:\} )?(?:else\b|if\b|for\b|while\b|switch\b|catch\b|do\b|try\b|finally\b)/;
const OPENS_BODY = /(?:=>|\)(?::\s[^=;]*)?)\s*\{$/;

const indentOf = (line: string): string => /^\t*/.exec(line)?.[0] ?? "";

/**
 * Functions by the formatter's indentation: a body opens at the end of a line and closes on the next line
 * that is no deeper. The head of a split signature is the nearest line above that is no deeper either.
 */
export function functionsOf(code: string): FunctionSpan[] {
	const spans = allSpans(code);
	const holds = (outer: FunctionSpan, inner: FunctionSpan): boolean =>
		outer !== inner && inner.line >= outer.line && inner.line + inner.lines <= outer.line + outer.lines;
	return spans.map((span) => {
		const inside = spans.filter((other) => holds(span, other));
		const direct = inside.filter((other) => !inside.some((between) => holds(between, other)));
		return { ...span, lines: direct.reduce((sum, other) => sum - other.lines + 1, span.lines) };
	});
}

function allSpans(code: string): FunctionSpan[] {
	const lines = code.split("\n").map((line) => line.trimEnd());
	const spans: FunctionSpan[] = [];
	lines.forEach((line, index) => {
		if (!OPENS_BODY.test(line)) return;
		const indent = indentOf(line);
		const head = line.trimStart().startsWith(")") ? headAbove(lines, index, indent) : index;
		const headText = (lines[head] ?? "").trim();
		if (NO_FUNCTION.test(headText)) return;
		const after = lines.findIndex((later, at) => at > index && later !== "" && indentOf(later).length <= indent.length);
		const end = after < 0 ? lines.length - 1 : after;
		spans.push({ name: nameIn(headText), line: head + 1, lines: end - head + 1 });
	});
	return spans;
}

function headAbove(lines: readonly string[], from: number, indent: string): number {
	for (let index = from - 1; index >= 0; index -= 1) {
		const line = lines[index] ?? "";
		if (line !== "" && indentOf(line).length <= indent.length) return index;
	}
	return from;
}

const nameIn = (head: string): string =>
	/(?:function\*?|const|let|get|set)\s+([\w$]+)/.exec(head)?.[1] ?? /([\w$]+)\s*[(:=]/.exec(head)?.[1] ?? "anonymous";

/** Functions over FUNCTION_LINES_MAX lines, outside tests (a suite is one long function by nature). */
export const longFunctions = (files: readonly SourceFile[], ratchet = RATCHET): Finding[] =>
	files
		.filter(({ path }) => !path.startsWith("test/"))
		.flatMap((file) =>
			functionsOf(file.code)
				.filter(({ name, lines }) => lines > (ratchet[keyOf(file.path, name)] ?? FUNCTION_LINES_MAX))
				.map(({ name, line, lines }) => ({
					path: file.path,
					line,
					message: `function ${name} has ${lines} lines, over ${FUNCTION_LINES_MAX}`,
				})),
		);

/** Entries of the ratchet that are no longer needed. */
export function slackRatchet(files: readonly SourceFile[], ratchet = RATCHET): string[] {
	return Object.entries(ratchet)
		.filter(([key]) => {
			const [path, name] = key.split("#");
			const file = files.find((candidate) => candidate.path === path);
			if (!file) return true;
			const sizes = name
				? functionsOf(file.code)
						.filter((span) => span.name === name)
						.map(({ lines }) => lines)
				: [file.text.trimEnd().split("\n").length];
			return Math.max(0, ...sizes) <= (name ? FUNCTION_LINES_MAX : FILE_LINES_MAX);
		})
		.map(([key]) => key);
}

/** A suite that is never run passes without testing anything. */
export const suitesNotRun = (files: readonly SourceFile[]): Finding[] =>
	files
		.filter(({ path }) => path.endsWith(".test.ts"))
		.filter(
			({ code }) =>
				(code.match(/\bsuite\s*[(<]/g)?.length ?? 0) > (code.match(/\.run\(\)/g)?.length ?? 0) ||
				!/\.run\(\)/.test(code),
		)
		.map(({ path }) => ({ path, line: 0, message: "a suite without .run() tests nothing" }));

/** Stored snapshots name their machine, so every id carries its version. */
export const unversionedMachines = (files: readonly SourceFile[]): Finding[] =>
	files
		.filter(({ path }) => path.startsWith("machines/") && !path.endsWith("types.ts"))
		.flatMap((file) =>
			[...file.text.matchAll(/createMachine\(\s*\{\s*(?:\/\*[\s\S]*?\*\/\s*)?([\s\S]{0,400})/g)]
				.map((match) => /\bid:\s*["'`]([^"'`]+)["'`]/.exec(match[1] ?? "")?.[1] ?? "")
				.filter((id) => !/\.v\d+$/.test(id))
				.map((id) => ({ path: file.path, line: 0, message: `machine id "${id}" must end in .v and its version` })),
		);
