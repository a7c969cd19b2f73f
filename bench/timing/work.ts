/**
 * Work without a clock. V8 counts how often each block of source was entered; weighted with the block's length that is
 * how many characters of source were executed. What built-in methods do inside is not source, so the elements that they
 * go through are counted beside it. Both are the same in every run of a process started with WORK_FLAGS: optimised code
 * loses counts. Counting slows the thread and leaves its built-in methods changed, so it needs a process of its own.
 */
import { type Profiler, Session } from "node:inspector";

/** Flags of Node without which counts are too low by what was inlined. */
export const WORK_FLAGS = ["--no-opt"];

export interface Work {
	/** Characters of source executed. */
	source: number;
	/** Elements that methods of arrays, typed arrays, objects, iterators and JSON went through. */
	elements: number;
}

/** Scripts whose work counts: the program and its libraries, neither the loader of TypeScript nor this bench. */
const COUNTED = /^file:.*\/(src|node_modules)\/(?!tsx\/|esbuild\/|.*\/(tsx|esbuild)\/)/;

/** A counter of the work of synchronous functions in this thread. */
export function openWorkCounter(): (run: () => unknown) => Work {
	const session = new Session();
	session.connect();
	session.post("Profiler.enable");
	session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
	const elements = countElements();
	return (run) => {
		// Counts begin anew with each answer.
		taken(session);
		const before = elements();
		run();
		const own = elements() - before;
		const source = taken(session)
			.filter(({ url }) => COUNTED.test(url))
			.reduce((sum, script) => sum + executed(script.functions.flatMap(({ ranges }) => ranges)), 0);
		return { source, elements: own };
	};
}

/** An in-thread session answers before `post` returns. */
function taken(session: Session): Profiler.ScriptCoverage[] {
	let result: Profiler.ScriptCoverage[] | null = null;
	session.post("Profiler.takePreciseCoverage", (error, answer) => {
		if (error) throw error;
		result = answer.result;
	});
	if (!result) throw new Error("the inspector of this thread did not answer");
	return result;
}

/** Characters times executions of nested ranges of one script: what an inner range covers is not the outer's. */
export function executed(ranges: readonly Profiler.CoverageRange[]): number {
	const ordered = [...ranges].sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
	const around: Profiler.CoverageRange[] = [];
	let total = 0;
	for (const range of ordered) {
		while (around.length > 0 && (around.at(-1)?.endOffset ?? 0) <= range.startOffset) around.pop();
		const length = range.endOffset - range.startOffset;
		total += (range.count - (around.at(-1)?.count ?? 0)) * length;
		around.push(range);
	}
	return total;
}

type Methods = Record<string, (this: unknown, ...given: unknown[]) => unknown>;

const OF_ARRAYS =
	"includes indexOf lastIndexOf slice join reverse fill sort map filter find findIndex some every reduce reduceRight forEach";
const OF_LISTS = "concat splice unshift shift flat flatMap";
const OF_OBJECTS = "keys values entries fromEntries assign";

/** Changes the methods of this thread so that they count; the answer is the count so far. */
function countElements(): () => number {
	let elements = 0;
	const sizeOf = (value: unknown): number =>
		typeof value === "string" || Array.isArray(value) || ArrayBuffer.isView(value)
			? (value as unknown as { length: number }).length
			: 1;
	const change = (
		owner: object,
		names: string,
		count: (self: unknown, given: unknown[], answer: unknown) => number,
	) => {
		for (const name of names.split(" ")) {
			const method = (owner as Methods)[name];
			if (!method) throw new Error(`there is no method ${name}`);
			const value = function (this: unknown, ...given: unknown[]): unknown {
				const answer = method.apply(this, given);
				elements += count(this, given, answer);
				return answer;
			};
			Object.defineProperty(owner, name, { value, writable: true, configurable: true });
		}
	};
	const prototypeOf = (value: object): object => Object.getPrototypeOf(value) as object;
	const typed = prototypeOf(Float64Array.prototype);
	change(prototypeOf([].values()), "next", () => 1);
	for (const iterator of [new Map().keys(), new Set().keys(), ""[Symbol.iterator]()])
		change(prototypeOf(iterator), "next", () => 1);
	change(Array.prototype, `${OF_ARRAYS} ${OF_LISTS}`, sizeOf);
	change(typed, `${OF_ARRAYS} set`, (self, [from]) => (Array.isArray(from) ? from.length : sizeOf(self)));
	change(Object, OF_OBJECTS, (_self, [from], answer) => Math.max(sizeOf(from), sizeOf(answer)));
	change(JSON, "stringify", (_self, _given, answer) => sizeOf(answer));
	change(JSON, "parse", (_self, [text]) => sizeOf(text));
	return () => elements;
}
