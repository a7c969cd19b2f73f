import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** A login of this person at one server. */
export interface Session {
	url: string;
	email: string;
	access_token: string;
	refresh_token: string;
}

export const DEFAULT_URL = "http://127.0.0.1:3000";

const fileOf = (env: NodeJS.ProcessEnv): string =>
	join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config"), "lookout", "login.json");

/** Kept in one file that only its owner may read; LOOKOUT_TOKEN takes its place where no file should be written. */
export interface SessionFile {
	read(): Promise<Session | null>;
	write(session: Session): Promise<void>;
	remove(): Promise<void>;
}

export function sessionFile(env: NodeJS.ProcessEnv): SessionFile {
	const path = fileOf(env);
	return {
		async read() {
			const url = env.LOOKOUT_URL;
			if (env.LOOKOUT_TOKEN) {
				return { url: url ?? DEFAULT_URL, email: "", access_token: env.LOOKOUT_TOKEN, refresh_token: "" };
			}
			try {
				const held = JSON.parse(await readFile(path, "utf8")) as Session;
				// A token goes to the server that gave it and to no other.
				return url === undefined || url === held.url ? held : null;
			} catch {
				return null;
			}
		},
		async write(session) {
			await mkdir(dirname(path), { recursive: true, mode: 0o700 });
			const draft = `${path}.${process.pid}`;
			await writeFile(draft, `${JSON.stringify(session)}\n`, { mode: 0o600 });
			await rename(draft, path);
		},
		remove: () => rm(path, { force: true }),
	};
}
