import * as scripts from "../../src/store/scripts.ts";

/** A script may be sent in two forms: plain, and flagged for a server whose memory is full. */
const known = Object.entries(scripts).flatMap(([name, value]) => {
	if (typeof value !== "object" || !("sha" in value)) return [];
	return [value, ...(value.urgent ? [value.urgent] : [])].map(({ sha, lua }) => ({ name, sha, lua }));
});

/** The name of the program's script that EVALSHA or EVAL was sent with; null: none of them. */
export const scriptName = (command: string, word: string): string | null =>
	known.find(({ sha, lua }) => word === (command === "EVALSHA" ? sha : lua))?.name ?? null;
