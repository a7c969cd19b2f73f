import { readFileSync } from "node:fs";

/** The version of package.json, found from the source tree and from the build alike. */
function readVersion(): string {
	for (const path of ["../package.json", "../../package.json"]) {
		try {
			const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as {
				name?: string;
				version?: string;
			};
			if (name === "lookout" && version) return version;
		} catch {
			// Not there: the other place is tried.
		}
	}
	return "0.0.0";
}

export const VERSION = readVersion();
