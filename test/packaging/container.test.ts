/** Conventions of Dockerfile and compose.yaml, by their text: no container engine is needed. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadConfig } from "../../src/config.ts";

const test = suite("container files");
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/** Instructions without comments, continued lines joined. */
const instructions = read("Dockerfile")
	.replace(/\\\n\s*/g, "")
	.split("\n")
	.filter((line) => line !== "" && !line.startsWith("#"));
const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM ")));
const argumentOf = (name: string): string =>
	lastStage.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? "";

test("the image is built in stages on a pinned slim base", () => {
	const bases = instructions.filter((line) => line.startsWith("FROM "));
	assert.ok(bases.length >= 2);
	for (const base of bases) assert.match(base, /^FROM node:\d+-bookworm-slim( AS \w+)?$/);
	assert.ok(instructions.some((line) => line.includes("npm ci --omit=dev")));
});

test("it runs as a plain user, under an init, without npm in between", () => {
	assert.is(argumentOf("USER"), "node");
	assert.is(argumentOf("ENTRYPOINT"), '["/usr/bin/tini", "--"]');
	assert.is(
		argumentOf("CMD"),
		'["node", "--max-semi-space-size=32", "--no-allocation-site-pretenuring", "--no-flush-bytecode", "--no-memory-reducer", "dist/src/main.js"]',
	);
	const build = JSON.parse(read("package.json"));
	assert.is(
		build.scripts.start,
		"node --max-semi-space-size=32 --no-allocation-site-pretenuring --no-flush-bytecode --no-memory-reducer dist/src/main.js",
	);
});

test("it tells its health without any tool but node", () => {
	const health = argumentOf("HEALTHCHECK");
	assert.match(health, /\/livez/);
	assert.match(health, /CMD \["node", "-e"/);
});

test("nothing secret is baked in, and only sources reach the build", () => {
	assert.not.match(instructions.join("\n"), /JWT_SECRET|PASSWORD|TOKEN/);
	const ignore = read(".dockerignore").trim().split("\n");
	assert.is(ignore[0], "*");
	for (const line of ignore.slice(1)) assert.match(line, /^!/);
	assert.not(ignore.includes("!.env"));
});

test("the image refuses to start open to others without secrets", () => {
	const env = Object.fromEntries([...argumentOf("ENV").matchAll(/(\w+)=(\S+)/g)].map((match) => [match[1], match[2]]));
	assert.throws(() => loadConfig(env), /JWT_SECRET[\s\S]*ADMIN_PASSWORD/);
});

interface Service {
	text: string;
	environment: Record<string, string>;
}

/** The services of compose.yaml: two blanks of indentation, the shared block `<<: *lookout` put in. */
function services(): Record<string, Service> {
	const lines = read("compose.yaml").replace(/^\s*#.*\n/gm, "");
	const shared = /^x-lookout: &lookout\n((?: {2}.*\n)+)/m.exec(lines)?.[1] ?? "";
	const block = /^services:\n((?: {2}.*\n|\n)+)/m.exec(lines)?.[1] ?? "";
	return Object.fromEntries(
		block
			.split(/^ {2}(?=\w)/m)
			.filter((part) => part.trim() !== "")
			.map((part) => {
				const name = part.slice(0, part.indexOf(":"));
				const text = part.includes("<<: *lookout") ? part + shared : part;
				const environment = /environment:\n((?: {6}\S.*\n)+)/.exec(text)?.[1] ?? "";
				const entries = [...environment.matchAll(/^ {6}(\w+): "?([^"\n]*)"?$/gm)].map((match) => [match[1], match[2]]);
				return [name, { text, environment: Object.fromEntries(entries) }];
			}),
	);
}

/** What compose would put in for `${NAME:?text}` and `${NAME:-default}`. */
const filledIn = (environment: Record<string, string>): Record<string, string> =>
	Object.fromEntries(
		Object.entries(environment).map(([name, value]) => [
			name,
			value.replace(/\$\{\w+:([?-])([^}]*)\}/g, (_, kind: string, text: string) =>
				kind === "?" ? "x".repeat(40) : text,
			),
		]),
	);

test("compose has redis, api and worker, each with a health check and time to stop", () => {
	const all = services();
	assert.equal(Object.keys(all), ["redis", "api", "worker"]);
	for (const [name, { text }] of Object.entries(all)) {
		assert.match(text, /healthcheck:\n\s+test:/, name);
		assert.match(text, /stop_grace_period: 30s/, name);
	}
});

test("redis keeps what it acknowledged, evicts nothing and is not published", () => {
	const redis = services().redis?.text ?? "";
	for (const option of [/--appendonly yes/, /--maxmemory-policy noeviction/, /--requirepass/, /redis-data:\/data/]) {
		assert.match(redis, option);
	}
	assert.not.match(redis, /ports:/);
	assert.match(read("compose.yaml"), /^volumes:\n {2}redis-data:/m);
});

test("api and worker wait for a healthy redis and are started with settings that hold", () => {
	for (const role of ["api", "worker"]) {
		const service = services()[role];
		assert.match(service?.text ?? "", /depends_on:\n\s+redis:\n\s+condition: service_healthy/);
		assert.is(loadConfig(filledIn(service?.environment ?? {})).role, role);
	}
});

test("api and worker are set to the same market, whatever it is", () => {
	const { api, worker } = services();
	const market = api?.environment.MARKET;
	assert.match(market ?? "", /^\$\{MARKET:-/);
	assert.is(worker?.environment.MARKET, market);
});

test("secrets have no default: compose stops when one is missing", () => {
	const text = read("compose.yaml");
	for (const name of ["JWT_SECRET", "ADMIN_PASSWORD", "REDIS_PASSWORD"]) {
		assert.match(text, new RegExp(`\\$\\{${name}:\\?`));
		assert.not.match(text, new RegExp(`\\$\\{${name}(:-|\\})`));
	}
});

test.run();
