import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { within } from "./wait.ts";

/** The real program in processes of its own, driven from outside as a client and an operator would. */
export interface Program {
	readonly process: ChildProcess;
	/** Everything printed so far, standard output and errors. */
	output(): string;
	/** Base address, "" for a process that does not listen. */
	readonly url: string;
	kill(signal: NodeJS.Signals): void;
	/** Exit code, or null when a signal ended it. */
	ended(): Promise<number | null>;
}

const ROOT = resolve(import.meta.dirname, "../..");
export const MARKET_DIR = resolve(ROOT, "../shared/market");
export const hasRecordedMarket = (): boolean => existsSync(join(MARKET_DIR, "MANIFEST.json"));
export const RECORDED = { MARKET: `recorded:${MARKET_DIR}`, MARKET_AS_OF: "2026-03-19T19:00:00Z" };

/** A PATH on which only this Node.js is found. */
export const PATH_WITHOUT_REDIS = dirname(process.execPath).includes("node")
	? dirname(process.execPath)
	: "/nonexistent";

/** How the program is run: from its source, or as it is built into dist/, which starts quicker. */
export const FROM_SOURCE = ["--import", "tsx", "src/main.ts"];
export const BUILT = ["dist/src/main.js"];

const programs = new Set<Program>();

interface StartOptions {
	expectFailure?: boolean;
	/** Arguments of Node.js; the built program by default. */
	entry?: readonly string[];
	waitMs?: number;
	/** A session of its own, as a service manager gives each service: it gets its own share of a busy machine. */
	ownSession?: boolean;
}

let built: Promise<void> | null = null;

/** The program is built once: started from its sources each process would compile them again, for seconds. */
export function build(): Promise<void> {
	built ??= new Promise((resolve, reject) => {
		const builder = spawn(process.execPath, ["scripts/build.mjs"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
		let text = "";
		for (const stream of [builder.stdout, builder.stderr]) {
			stream.setEncoding("utf8").on("data", (chunk: string) => {
				text += chunk;
			});
		}
		builder.once("close", (code, signal) => {
			if (code === 0) resolve();
			else reject(new Error(`the program could not be built (${code ?? signal}), the build said:\n${text}`));
		});
	});
	return built;
}

/** Starts one process and waits until it says that it is up (or has ended). */
export async function startProgram(env: Record<string, string>, options: StartOptions = {}): Promise<Program> {
	const dataDir = env.DATA_DIR ?? (await mkdtemp(join(tmpdir(), "lp-")));
	if (!options.entry) await build();
	const child = spawn(process.execPath, [...(options.entry ?? BUILT)], {
		cwd: ROOT,
		env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", PORT: "0", DATA_DIR: dataDir, ...env },
		stdio: ["ignore", "pipe", "pipe"],
		detached: options.ownSession ?? false,
	});
	let text = "";
	let url = "";
	const ended = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
	const up = new Promise<void>((done) => {
		for (const stream of [child.stdout, child.stderr]) {
			stream?.setEncoding("utf8").on("data", (chunk: string) => {
				text += chunk;
				url = /"url":"(http[^"]+)"/.exec(text)?.[1] ?? url;
				if (text.includes("Lookout is up")) done();
			});
		}
		ended.then(() => done());
	});
	const program: Program = {
		process: child,
		output: () => text,
		get url() {
			return url;
		},
		kill: (signal) => child.kill(signal),
		ended: () => within(ended, "the program's end", 30_000),
	};
	programs.add(program);
	await within(up, "the program's start", options.waitMs ?? 40_000).catch((error: unknown) => {
		child.kill("SIGKILL");
		throw new Error(`the program is not up, it said:\n${text}`, { cause: error });
	});
	if (child.exitCode !== null && !options.expectFailure) throw new Error(`the program did not start:\n${text}`);
	if (env.DATA_DIR === undefined) ended.then(() => rm(dataDir, { recursive: true, force: true }));
	return program;
}

/** However this process ends by itself or by a signal that it takes: nothing that it started goes on. */
process.once("exit", () => {
	for (const program of programs) program.kill("SIGKILL");
});

/** Ends everything that a test started. */
export async function stopPrograms(): Promise<void> {
	for (const program of programs) {
		if (program.process.exitCode === null && program.process.signalCode === null) {
			program.kill("SIGCONT");
			program.kill("SIGTERM");
		}
	}
	await Promise.all([...programs].map((program) => program.ended().catch(() => program.kill("SIGKILL"))));
	programs.clear();
}

export interface Reply {
	status: number;
	headers: Headers;
	/** Whatever the server answers, as a client without types sees it. */
	body: ReturnType<typeof JSON.parse>;
}

/** A client that takes the given servers in turn, as behind a load balancer. */
export class Client {
	private turn = 0;
	private token = "";
	private readonly urls: readonly string[];
	constructor(urls: readonly string[]) {
		this.urls = urls;
	}

	async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
		const base = this.urls[this.turn++ % this.urls.length];
		const response = await fetch(
			`${base}${path.startsWith("/api") || !path.startsWith("/v1") ? path : `/api${path}`}`,
			{
				method,
				headers: {
					...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
					...(body === undefined ? {} : { "content-type": "application/json" }),
					...headers,
				},
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
				signal: AbortSignal.timeout(45_000),
			},
		);
		const text = await response.text();
		return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null };
	}

	async login(email: string, password: string): Promise<Reply> {
		const reply = await this.call("POST", "/api/v1/auth/login", { email, password });
		this.token = reply.body.access_token ?? "";
		return reply;
	}

	/** Somebody who is logged in already. */
	withToken(token: string): this {
		this.token = token;
		return this;
	}

	get = (path: string, headers?: Record<string, string>) => this.call("GET", `/api/v1${path}`, undefined, headers);
	post = (path: string, body: unknown = {}) => this.call("POST", `/api/v1${path}`, body);

	/** Polls by long poll until `wanted` holds; each reply is handed to `see`. */
	async poll(
		scanId: string,
		wanted: (body: Reply["body"]) => boolean,
		see: (reply: Reply) => void = () => {},
	): Promise<Reply> {
		const signal = AbortSignal.timeout(60_000);
		for (;;) {
			const reply = await this.get(`/opportunities/status/${scanId}?wait=1`);
			see(reply);
			if (wanted(reply.body)) return reply;
			if (signal.aborted) throw new Error(`waited in vain: ${JSON.stringify(reply.body)}`);
		}
	}
}

export const isEnded = (body: Reply["body"]): boolean => body.status !== "scanning";
