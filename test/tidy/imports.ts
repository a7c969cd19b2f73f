/** Who may import whom. Imports point one way; `main.ts` wires. */
import type { Finding, SourceFile } from "./source.ts";

/** Areas whose implementation an area must not import. Contracts (`contract.ts`, `services.ts`) are for all. */
const FORBIDDEN: Record<string, readonly string[]> = {
	strategies: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "redis", "views", "clock"],
	market: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "views"],
	record: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "views", "redis"],
	effects: ["api", "commands", "queries", "queue", "runtime", "store", "redis"],
	store: ["api", "commands", "queries", "queue", "runtime", "effects", "strategies", "market"],
	runtime: ["api", "commands", "queries", "queue", "strategies", "market"],
	queue: ["api", "commands", "queries", "effects", "strategies", "market", "store", "views"],
	views: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "market", "redis"],
	queries: ["api", "commands", "queue", "runtime", "effects", "store", "strategies", "market", "redis"],
	commands: ["api", "queries", "queue", "effects", "store", "strategies", "market", "redis"],
	accounts: ["api", "commands", "queries", "queue", "runtime", "effects", "strategies", "market", "views"],
	exchange: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "views", "redis"],
	schedules: ["api", "commands", "queries", "queue", "runtime", "effects", "strategies", "market", "views", "redis"],
	webhooks: ["api", "commands", "queries", "queue", "runtime", "effects", "strategies", "market", "redis"],
	alerts: ["api", "commands", "queries", "queue", "runtime", "effects", "strategies", "market", "store", "redis"],
	api: ["queue", "runtime", "effects", "store", "strategies", "market", "redis"],
	redis: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "market", "views"],
	inspect: ["api", "commands", "queries", "queue", "effects", "strategies", "market", "redis", "views", "accounts"],
	config: ["api", "commands", "queries", "queue", "runtime", "effects", "store", "strategies", "market", "redis"],
	sealing: ["api", "accounts", "webhooks", "queue", "runtime", "effects", "store", "strategies", "market", "redis"],
};

/** `src/api/app.ts` -> api, `src/commands.ts` and `src/commands/start.ts` -> commands, `machines/x.ts` -> machines. */
export function areaOf(path: string): string {
	const [top, second = ""] = path.split("/");
	return top === "src" ? second.replace(/\.ts$/, "") : (top ?? "");
}

const isContract = (path: string): boolean => /(^|[/-])(contract|route)\.ts$/.test(path) || path === "src/services.ts";

export function importDirection(files: readonly SourceFile[]): Finding[] {
	const findings: Finding[] = [];
	for (const file of files.filter(({ path }) => path.startsWith("src/"))) {
		const area = areaOf(file.path);
		for (const { target, typeOnly } of file.imports) {
			// Types of the outside carry no code: who knows only them can be given anything.
			if (target === null || typeOnly || isContract(target)) continue;
			const message = wrongTarget(area, target);
			if (message) findings.push({ path: file.path, line: 0, message });
		}
	}
	return findings;
}

function wrongTarget(area: string, target: string): string | null {
	if (target === "src/main.ts") return "nobody imports main.ts";
	if (!target.startsWith("src/") && !target.startsWith("machines/"))
		return `imports ${target} from outside the program`;
	const targetArea = areaOf(target);
	const forbidden = targetArea !== area && FORBIDDEN[area]?.includes(targetArea);
	return forbidden ? `${area} must not import ${targetArea} (${target})` : null;
}

/** Machines decide and touch nothing: no module of src, of Node, or of any package but xstate. */
export const machineImports = (files: readonly SourceFile[]): Finding[] =>
	files
		.filter(({ path }) => path.startsWith("machines/"))
		.flatMap((file) =>
			file.imports
				.filter(({ specifier, target }) =>
					target ? !target.startsWith("machines/") : !/^xstate($|\/)/.test(specifier),
				)
				.map(({ specifier }) => ({ path: file.path, line: 0, message: `machines must not import ${specifier}` })),
		);

interface Maker {
	what: string;
	package: string;
	names: readonly string[];
	/** Files whose path begins so may import them. */
	places: readonly string[];
}

const MAKERS: readonly Maker[] = [
	{
		what: "Redis clients",
		package: "ioredis",
		names: ["Redis", "Cluster", "default"],
		places: ["src/redis/clients.ts"],
	},
	{ what: "transitions", package: "xstate", names: ["transition", "initialTransition"], places: ["src/runtime/"] },
	{ what: "queues and workers", package: "bullmq", names: ["Queue", "Worker", "QueueEvents"], places: ["src/queue/"] },
];

/** Things that are made in one place only, so that their limits and handlers are never forgotten. */
export function singleMakers(files: readonly SourceFile[]): Finding[] {
	const program = files.filter(({ path }) => path.startsWith("src/") || path.startsWith("machines/"));
	return MAKERS.flatMap((maker) => {
		const users = program.filter((file) =>
			file.imports.some(
				(entry) =>
					entry.specifier === maker.package &&
					!entry.typeOnly &&
					(entry.names.length === 0 || entry.names.some((name) => maker.names.includes(name))),
			),
		);
		const strangers = users.filter(({ path }) => !maker.places.some((place) => path.startsWith(place)));
		const crowd = users.length - strangers.length > 1 && maker.package !== "bullmq" ? users : [];
		return [...strangers, ...crowd].map(({ path }) => ({
			path,
			line: 0,
			message: `${maker.what} come from one file in ${maker.places.join(", ")}`,
		}));
	});
}

/** Where the search for dead files begins, with the reason for each. */
const ROOTS: Record<string, string> = {
	"src/main.ts": "the entry",
	"src/cli.ts": "the command line's entry",
	"src/rotate-accounts.ts": "the entry of a command",
	"src/record.ts": "the recording command's entry",
	"machines/strategy.ts": "the picture and the tests of a strategy's rules, which the scan machine shares",
	"src/config/table.ts": "makes the README's table",
};

/** Modules that nothing in the program refers to; judged only once there is a main.ts to start from. */
export function deadFiles(files: readonly SourceFile[]): Finding[] {
	const program = files.filter(({ path }) => path.startsWith("src/") || path.startsWith("machines/"));
	if (!program.some(({ path }) => path === "src/main.ts")) return [];
	const imported = new Set(program.flatMap((file) => file.imports.map(({ target }) => target)));
	// Threads are started by name, so a quoted "./name" without import counts too.
	const named = (path: string) => {
		const name = path.split("/").at(-1)?.replace(/\.ts$/, "") ?? "";
		return program.some(
			(file) =>
				file.path !== path && new RegExp(`["'\`]\\.{1,2}/(?:[\\w./-]*/)?${name}(?:\\.[jt]s)?["'\`$]`).test(file.text),
		);
	};
	return program
		.filter(({ path }) => !(path in ROOTS) && !imported.has(path) && !named(path))
		.map(({ path }) => ({ path, line: 0, message: "nothing imports it" }));
}
