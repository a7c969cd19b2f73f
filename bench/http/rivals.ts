import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { within } from "../../test/support/wait.ts";
import { pin } from "./load.ts";
import { JWT_SECRET } from "./users.ts";

const SERVER = join(import.meta.dirname, "rival.mjs");
const NAMES = { koa: "Koa, constant", jwt: "Koa + koa-jwt, constant", get: "Koa + koa-jwt + one GET" } as const;

export interface Rival {
	name: string;
	url: string;
	pid: number;
	bytes: number;
}

/** The comparison servers, each in a process of its own that ends with this one. */
export async function startRivals(bytes: number, redisPort: number): Promise<Rival[]> {
	const rivals: Rival[] = [];
	for (const [kind, name] of Object.entries(NAMES)) {
		const child = spawn(process.execPath, [SERVER, kind, String(bytes), String(redisPort)], {
			env: { ...process.env, JWT_SECRET },
			stdio: ["ignore", "pipe", "inherit"],
		});
		process.once("exit", () => child.kill("SIGKILL"));
		const url = await within(addressOf(child), "the start of a comparison server", 20_000);
		child.unref();
		child.stdout.destroy();
		pin(child.pid, 0);
		rivals.push({ name, url, pid: child.pid ?? 0, bytes });
	}
	return rivals;
}

const addressOf = (child: ChildProcess): Promise<string> =>
	new Promise((done, failed) => {
		child.stdout?.setEncoding("utf8").once("data", (text: string) => done(text.trim()));
		child.once("exit", (code) => failed(new Error(`a comparison server ended with ${code}`)));
	});
