/** What a scan can reach: nothing that could place an order, whatever it is called. */
import type { Finding, SourceFile } from "./source.ts";

/** Where the work of a scan begins: the executor with its queue, the threads, the market behind its port. */
export const SCAN_ROOTS: readonly string[] = [
	"src/scan-parts.ts",
	"src/effects/index.ts",
	"src/market/index.ts",
	"src/market/recorded-worker.ts",
	"src/exchange/account-book.ts",
	"src/exchange/accounts.ts",
	"src/exchange/account-worker.ts",
	"src/market/ccxt/exchange-worker.ts",
	"src/strategies/evaluation-worker.ts",
];

/** Packages and parts of Node that a scan may reach, and what for. None of them talks to an exchange by itself. */
const ALLOWED: Readonly<Record<string, string>> = {
	xstate: "the machines",
	bullmq: "its own queue",
	ioredis: "its own store",
	piscina: "worker threads",
	zod: "shapes of results and files",
	"ml-matrix": "eigenvectors",
	"trading-signals": "indicators",
	"simple-statistics": "statistics",
	jstat: "distributions",
	"node:crypto": "hashes and ids",
	"node:events": "listeners",
	"node:fs": "its own version",
	"node:fs/promises": "recorded files",
	"node:module": "a package without modules",
	"node:os": "how many threads",
	"node:path": "recorded files",
	"node:url": "places of threads",
	"node:util": "promises",
	"node:worker_threads": "threads",
	"node:zlib": "recorded files, stored documents",
	"node:async_hooks": "context of a call",
};

/** Ways out that need no import. */
const NETWORK =
	/(?<![.\w])fetch\(|\bglobalThis\.fetch\b|\b(?:WebSocket|EventSource|XMLHttpRequest)\b|(?<![.\w])import\(/g;
const NETWORK_ALLOWED: Readonly<Record<string, string>> = {
	"src/market/cached.ts": "a parameter of its own is called fetch",
	"src/market/ccxt/load.ts": "the file of one exchange, whose methods only src/market/ccxt and src/exchange call",
	"src/market/ccxt/requests.ts": "public reading of exchanges: it refuses every group that is private",
};
const REQUIRED = /\brequire\(\s*["']([^"']+)["']/g;

/** Paths of everything that is loaded when the roots are, types apart. */
export function reachOf(files: readonly SourceFile[], roots: readonly string[] = SCAN_ROOTS): SourceFile[] {
	const byPath = new Map(files.map((file) => [file.path, file]));
	const reached = new Set<SourceFile>();
	const open = [...roots];
	for (let path = open.pop(); path !== undefined; path = open.pop()) {
		const file = byPath.get(path);
		if (!file || reached.has(file)) continue;
		reached.add(file);
		for (const { target, typeOnly } of file.imports) if (target && !typeOnly) open.push(target);
	}
	return [...reached];
}

/** Packages and calls in the reach of a scan that have no business there. */
export function scanReach(files: readonly SourceFile[], roots: readonly string[] = SCAN_ROOTS): Finding[] {
	return reachOf(files, roots).flatMap((file) => {
		const imported = file.imports
			.filter(({ target, typeOnly }) => !target && !typeOnly)
			.map(({ specifier }) => specifier);
		const required = [...file.text.matchAll(REQUIRED)].map((match) => match[1] ?? "");
		const strange = [...imported, ...required].filter((name) => !name.startsWith(".") && !(name in ALLOWED));
		const calls = file.path in NETWORK_ALLOWED ? [] : [...file.code.matchAll(NETWORK)];
		return [
			...strange.map((name) => `reaches ${name} from a scan: a scan only reads markets through their port`),
			...calls.map(([call]) => `calls ${call} in the reach of a scan`),
		].map((message) => ({ path: file.path, line: 0, message }));
	});
}

/** What an exchange may be asked for about an account: words of ccxt that only read. */
const ACCOUNT_READ = /^(?:fetchBalance|fetchPositions|loadTimeDifference|\w+Get[A-Z]\w*)$/;
/** The one POST among them: this exchange sends all its private reads so. */
const POSTED_READ = "privatePostGetApiKeyInfo";
/** Where an object of ccxt may be held, with a name for what it is there. */
const CCXT_PLACES: Readonly<Record<string, string>> = {
	"src/exchange/account-worker.ts": "makes it and hands it to the wrapper",
	"src/exchange/gated.ts": "puts the gate before its requests",
	"src/exchange/reading.ts": "the wrapper that only reads",
};

/** Reads of accounts that are not known to read, and files about accounts that hold an exchange they might trade at. */
export function accountsOnlyRead(files: readonly SourceFile[]): Finding[] {
	const path = "src/exchange/reading.ts";
	const list = /export const READS = \[([\s\S]*?)\] as const/.exec(
		files.find((file) => file.path === path)?.text ?? "",
	)?.[1];
	if (list === undefined) return [{ path, line: 0, message: "the list READS is not found" }];
	const names = [...list.matchAll(/"(\w+)"/g)].map((match) => match[1] ?? "");
	const holders = files.filter((file) => file.path.startsWith("src/exchange/") && !(file.path in CCXT_PLACES));
	return [
		...names
			.filter((name) => !ACCOUNT_READ.test(name) && name !== POSTED_READ)
			.map((name) => ({ path, line: 0, message: `${name} is not known to only read` })),
		...holders
			.filter((file) => file.imports.some(({ specifier }) => /(^ccxt$|\/ccxt\/)/.test(specifier)))
			.map((file) => ({ path: file.path, line: 0, message: "reaches an exchange past its wrapper" })),
	];
}

/** Everything the market port may be asked for: reading, and nothing else. */
const READS = new Set([
	"source",
	"now",
	"venues",
	"markets",
	"candles",
	"tickers",
	"funding",
	"orderBook",
	"openInterest",
	"trades",
	"optionChain",
	"volatilityHistory",
	"check",
	"close",
]);

/** Members of the MarketData port that are not known to read. */
export function portOnlyReads(files: readonly SourceFile[]): Finding[] {
	const contract = files.find(({ path }) => path === "src/market/contract.ts");
	const body = /export interface MarketData \{\n([\s\S]*?)\n\}/.exec(contract?.text ?? "")?.[1];
	if (!contract || body === undefined)
		return [{ path: "src/market/contract.ts", line: 0, message: "the port MarketData is not found" }];
	const members = [...body.matchAll(/^\t(?:readonly )?(\w+)[(:<?]/gm)].map((match) => match[1] ?? "");
	return members
		.filter((name) => !READS.has(name))
		.map((name) => ({ path: contract.path, line: 0, message: `MarketData.${name} is not known to only read` }));
}
