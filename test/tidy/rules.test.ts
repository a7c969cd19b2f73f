/** Each rule of the tidy test must catch what it is for and let the proper form pass. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bannedCalls, needlessAllowances, unfinishedMarks } from "./calls.ts";
import { areaOf, deadFiles, importDirection, machineImports, singleMakers } from "./imports.ts";
import { accountsOnlyRead, portOnlyReads, scanReach } from "./reach.ts";
import { forbiddenTexts } from "./repository.ts";
import { functionsOf, longFiles, longFunctions, slackRatchet, suitesNotRun, unversionedMachines } from "./shape.ts";
import { codeOnly, type Finding, sourceOf } from "./source.ts";

const test = suite("tidy rules");

type Rule = (files: ReturnType<typeof sourceOf>[]) => Finding[];

const caught = (rule: Rule, path: string, text: string): number => rule([sourceOf(path, text)]).length;

function holds(rule: Rule, bad: [string, string][], good: [string, string][]): void {
	for (const [path, text] of bad) assert.ok(caught(rule, path, text) > 0, `not caught: ${path}: ${text}`);
	for (const [path, text] of good) assert.is(caught(rule, path, text), 0, `wrongly caught: ${path}: ${text}`);
}

test("code is told from comments, strings, templates and regular expressions", () => {
	const line = (text: string) => codeOnly(text).replace(/\s+/g, " ").trim();
	assert.is(line("a(\"Date.now\" + 'x'); // Date.now"), "a( + );");
	assert.is(line("/* console. */ b(`x ${f(`y ${c}`)} console.`);"), "b( f( c ) );");
	assert.is(line('const r = /[/"]Date.now/g; d / e / f'), "const r = ; d / e / f");
	assert.is(line("x = a ? { b: 1 } : `${ { c: 2 }.c }`;"), "x = a ? { b: 1 } : { c: 2 }.c ;");
	const text = 'a\n"b\\"c"\n`d\n${e}`\n/* f\n */ g';
	assert.is(codeOnly(text).length, text.length);
	assert.is(codeOnly(text).split("\n").length, text.split("\n").length);
});

test("banned calls", () => {
	holds(
		bannedCalls,
		[
			["src/a.ts", "const t = Date.now();"],
			["src/a.ts", "const t = new Date( );"],
			["test/a.test.ts", "const t = new Date();"],
			["machines/a.ts", "const r = Math.random();"],
			["src/a.ts", 'import { randomUUID } from "node:crypto";'],
			["src/a.ts", "console.log(1);"],
			["src/a.ts", "const x = y as any;"],
			["src/a.ts", "function f(x: any) {}"],
			["src/a.ts", "const x = list[0]!.name;"],
			["src/a.ts", "const x = call()!;"],
			["src/a.ts", "await exchange.createOrder(1);"],
			["src/market/ccxt.ts", "await exchange.createMarketBuyOrder(1);"],
			["src/a.ts", "exchange.withdraw(1);"],
		],
		[
			["src/clock.ts", "const t = Date.now();"],
			["src/a.ts", "const t = new Date(ms).toISOString();"],
			["test/a.test.ts", "const t = Date.now();"],
			["src/a.ts", 'const word = "console.log as any x!.y";'],
			["src/a.ts", "if (a !== b && !c) d = a != b;"],
			["src/a.ts", "const company: many = 1; // any"],
			["src/a.ts", "const orderBook = bookOf(orders); limitOrders;"],
		],
	);
});

test("what a scan can reach", () => {
	const found = (text: string, leaf = "export const a = 1;") =>
		scanReach([sourceOf("src/root.ts", text), sourceOf("src/leaf.ts", leaf)], ["src/root.ts"]).length;
	assert.is(found('import { z } from "zod";'), 0);
	for (const bad of [
		'import ccxt from "ccxt";',
		'import { request } from "node:https";',
		'import net from "node:net";',
	])
		assert.is(found(bad), 1, bad);
	assert.is(found("await fetch(url);"), 1);
	assert.is(found("cache.fetch(key);"), 0, "a method of that name");
	assert.is(found("const socket = new WebSocket(url);"), 1);
	assert.is(found('const m = await import("ccxt");'), 1);
	assert.is(found('const jstat = createRequire(x)("jstat"); const c = require("ccxt");'), 1);
	assert.is(found('import { a } from "./leaf.ts";', 'import ccxt from "ccxt";'), 1, "through another file");
	assert.is(found('import type { A } from "./leaf.ts";', 'import ccxt from "ccxt";'), 0, "types load nothing");
	const port = (member: string) =>
		portOnlyReads([
			sourceOf("src/market/contract.ts", `export interface MarketData {\n\tnow(): number;\n\t${member}\n}`),
		]);
	assert.is(port("candles(symbol: string): Promise<Series>;").length, 0);
	assert.is(port("sell(symbol: string): Promise<void>;").length, 1);
	assert.is(portOnlyReads([]).length, 1);
});

test("what an exchange is asked about an account", () => {
	const reads = (...names: string[]) => {
		const list = names.map((name) => `\t"${name}",\n`).join("");
		return sourceOf("src/exchange/reading.ts", `export const READS = [\n${list}] as const;`);
	};
	assert.is(accountsOnlyRead([reads("fetchBalance", "privateGetAccountConfig", "privatePostGetApiKeyInfo")]).length, 0);
	for (const bad of ["createOrder", "withdraw", "privatePostOrder", "cancelAllOrders", "sapiPostAssetTransfer"])
		assert.is(accountsOnlyRead([reads("fetchBalance", bad)]).length, 1, bad);
	assert.is(accountsOnlyRead([]).length, 1, "no list");
	const holder = (text: string) => accountsOnlyRead([reads("fetchBalance"), sourceOf("src/exchange/other.ts", text)]);
	assert.is(holder('import type { Exchange } from "ccxt";').length, 1);
	assert.is(holder('import { loadExchange } from "../market/ccxt/load.ts";').length, 1);
	assert.is(holder('import { readingOnly } from "./reading.ts";').length, 0);
});

test("an allowance that nobody uses is found", () => {
	assert.ok(needlessAllowances([sourceOf("src/clock.ts", "const now = 1;")]).includes("src/clock.ts"));
});

test("unfinished work", () => {
	holds(
		unfinishedMarks,
		[
			["src/a.ts", "// TODO later"],
			["machines/a.ts", "/* FIXME */"],
		],
		[["src/a.ts", "// todos"]],
	);
});

test("import direction", () => {
	const from = (target: string) => `import { x } from "${target}";`;
	assert.equal(
		[areaOf("src/api/app.ts"), areaOf("src/commands.ts"), areaOf("machines/scan.ts")],
		["api", "commands", "machines"],
	);
	holds(
		importDirection,
		[
			["src/api/a.ts", from("../store/scans.ts")],
			["src/api/a.ts", from("../runtime/run.ts")],
			["src/store/a.ts", from("../api/a.ts")],
			["src/effects/a.ts", from("../queue/queue.ts")],
			["src/strategies/a.ts", from("../clock.ts")],
			["src/market/a.ts", from("../strategies/registry.ts")],
			["src/runtime/a.ts", from("../market/simulated.ts")],
			["src/views/a.ts", from("../store/keys.ts")],
			["src/queries.ts", from("./store/scans.ts")],
			["src/commands.ts", from("./api/schemas.ts")],
			["src/a.ts", from("./main.ts")],
			["src/a.ts", from("../test/support/x.ts")],
			["src/views/a.ts", 'import { type X, y } from "../runtime/run.ts";'],
			["src/api/a.ts", 'export * from "../store/scans.ts";'],
			["src/api/a.ts", 'import {\n\ta,\n\tb,\n} from "../store/scans.ts";'],
		],
		[
			["src/api/a.ts", from("../commands.ts")],
			["src/api/a.ts", from("../store/contract.ts")],
			["src/api/a.ts", from("./route.ts")],
			["src/commands.ts", from("./store/write-contract.ts")],
			["src/views/a.ts", 'import type { X } from "../runtime/run.ts";'],
			["src/views/a.ts", 'import { type X, type Y } from "../runtime/run.ts";'],
			["src/queue/a.ts", from("../runtime/run.ts")],
			["src/runtime/a.ts", from("../../machines/scan.ts")],
			["src/effects/a.ts", from("../market/cache.ts")],
			["src/commands.ts", from("./runtime/apply.ts")],
			["src/main.ts", from("./store/scans.ts")],
		],
	);
});

test("machines stay pure", () => {
	holds(
		machineImports,
		[
			["machines/a.ts", 'import { x } from "../src/clock.ts";'],
			["machines/a.ts", 'import { x } from "node:fs";'],
			["machines/a.ts", 'import { z } from "zod";'],
			["machines/a.ts", 'import type { X } from "../src/errors.ts";'],
		],
		[["machines/a.ts", 'import { setup } from "xstate";\nimport type { X } from "./types.ts";']],
	);
});

test("one maker of clients, queues and transitions", () => {
	holds(
		singleMakers,
		[
			["src/store/a.ts", 'import { Redis } from "ioredis";'],
			["src/store/a.ts", 'import IORedis from "ioredis";'],
			["src/api/a.ts", 'import { initialTransition } from "xstate";'],
			["src/api/a.ts", 'import { Queue } from "bullmq";'],
		],
		[
			["src/redis/clients.ts", 'import { Redis } from "ioredis";'],
			["src/store/a.ts", 'import type { Redis } from "ioredis";'],
			["src/runtime/step.ts", 'import { transition } from "xstate";'],
			["src/queue/a.ts", 'import { Queue, Worker } from "bullmq";'],
			["machines/scan.ts", 'import { setup } from "xstate";'],
		],
	);
	const two = ["a", "b"].map((name) => sourceOf(`src/runtime/${name}.ts`, 'import { transition } from "xstate";'));
	assert.is(singleMakers(two).length, 2);
});

test("dead files", () => {
	const main = sourceOf("src/main.ts", 'import { a } from "./a.ts";\nstartWorker("./thread", import.meta.url);');
	const others = ["a", "b", "thread"].map((name) => sourceOf(`src/${name}.ts`, ""));
	assert.equal(
		deadFiles([main, ...others]).map(({ path }) => path),
		["src/b.ts"],
	);
	assert.equal(deadFiles(others), []);
});

const body = (lines: number) => Array.from({ length: lines }, () => "\tx();").join("\n");

test("long files and functions, and the ratchet", () => {
	const long = `function long() {\n${body(60)}\n}\n`;
	const allowed = { "src/a.ts#long": 62 };
	assert.is(caught(longFiles, "src/a.ts", body(301)), 1);
	assert.is(caught(longFiles, "src/a.ts", `${body(300)}\n`), 0);
	assert.is(longFiles([sourceOf("src/a.ts", body(301))], { "src/a.ts": 301 }).length, 0);
	assert.is(caught(longFunctions, "src/a.ts", long), 1);
	assert.is(caught(longFunctions, "test/a.test.ts", long), 0);
	assert.is(longFunctions([sourceOf("src/a.ts", long)], allowed).length, 0);
	assert.is(longFunctions([sourceOf("src/a.ts", long.replace("{\n", "{\n\ty();\n"))], allowed).length, 1);
	assert.equal(slackRatchet([sourceOf("src/a.ts", long)], allowed), []);
	assert.equal(slackRatchet([sourceOf("src/a.ts", "")], allowed), ["src/a.ts#long"]);
	assert.equal(slackRatchet([], { "src/gone.ts": 400 }), ["src/gone.ts"]);
});

test("functions are found in every form, statements are not", () => {
	const text = [
		"export const arrow = (a: string): string[] => {",
		"\treturn a;",
		"};",
		"async function split(",
		"\ta: string,",
		"): Promise<{ b: number }> {",
		"\tif (",
		"\t\ta",
		"\t) {",
		"\t\tfor (const c of a) {",
		"\t\t}",
		"\t}",
		"}",
		"class K {",
		"\tmethod() {",
		"\t}",
		"}",
	].join("\n");
	assert.equal(
		functionsOf(text).map(({ name, line, lines }) => [name, line, lines]),
		[
			["arrow", 1, 3],
			["split", 4, 10],
			["method", 15, 2],
		],
	);
	const factory = ["const make = () => {", "\tconst inner = () => {", "\t\tx();", "\t};", "\treturn inner;", "};"];
	assert.equal(
		functionsOf(factory.join("\n")).map(({ name, lines }) => [name, lines]),
		[
			["make", 4],
			["inner", 3],
		],
	);
});

test("suites that are never run", () => {
	holds(
		suitesNotRun,
		[
			["test/a.test.ts", 'const test = suite("a");'],
			["test/a.test.ts", 'const a = suite("a");\nconst b = suite<X>("b");\na.run();'],
			["test/a.test.ts", 'const a = suite("a"); // a.run()'],
		],
		[["test/a.test.ts", 'const test = suite("a");\ntest.run();']],
	);
});

test("machine ids without a version", () => {
	holds(
		unversionedMachines,
		[
			["machines/a.ts", 'setup({}).createMachine({ id: "scan", initial: "a" })'],
			["machines/a.ts", 'setup({}).createMachine({\n\tinitial: "a",\n})'],
		],
		[["machines/a.ts", 'setup({}).createMachine({\n\tid: "scan.v1",\n})']],
	);
});

/** Examples of what must not stand in a file, put together here so that this file does not hold them. */
const pathOf = (...parts: string[]): string => ["", ...parts].join("/");

test("paths, hosts and credentials", () => {
	const found = (path: string, text: string) => forbiddenTexts([{ path, text }]).length;
	const bad = [
		`const a = "${pathOf("home", "joe", "x")}";`,
		`see ${pathOf("tmp", "x")}`,
		`https://${["registry", "example", "org"].join(".")}/`,
		"-----BEGIN RSA PRIVATE KEY-----",
		"AKIAABCDEFGHIJKLMNOP",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0abc",
		"redis://joe:hunter2@host",
		'password: "correct-horse"',
		`/** See ${"CONTRACT"}.md 5.2. */`,
		`// as ${"STRATEGIES"} 6.13 has it`,
	];
	for (const text of bad) assert.is(found("src/a.ts", text), 1, text);
	const good = [
		"../shared/market",
		"redis://${user}:${password}@host",
		'password: "short"',
		"JWT_SECRET=${JWT_SECRET:?}",
	];
	for (const text of good) assert.is(found("compose.yaml", text), 0, text);
	assert.is(found("test/a.test.ts", "redis://joe:hunter2@host"), 0);
	assert.is(found("test/a.test.ts", `see ${pathOf("tmp", "x")}`), 1);
});

test.run();
