import { ApiProblem } from "./api.ts";

/** What the server says about single fields, by dotted path without the leading `body.`. */
export function fieldErrors(error: Error | null): Map<string, string> {
	const list = error instanceof ApiProblem && Array.isArray(error.body.errors) ? error.body.errors : [];
	return new Map(
		list.map(({ path, message }: { path: string; message: string }) => [path.replace(/^body\.?/, ""), message]),
	);
}

/** The first complaint about a field or anything in it: `symbols` finds `symbols.2`. */
export function errorOf(errors: Map<string, string>, field: string): string | undefined {
	for (const [path, message] of errors) if (path === field || path.startsWith(`${field}.`)) return message;
	return undefined;
}
