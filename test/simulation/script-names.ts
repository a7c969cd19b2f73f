import * as scripts from "../../src/store/scripts.ts";

const known = Object.entries(scripts).flatMap(([name, value]) =>
	typeof value === "object" && "sha" in value ? [{ name, sha: value.sha, lua: value.lua }] : [],
);

/** The name of the program's script that EVALSHA or EVAL was sent with; null: none of them. */
export const scriptName = (command: string, word: string): string | null =>
	known.find(({ sha, lua }) => word === (command === "EVALSHA" ? sha : lua))?.name ?? null;
