/**
 * Replies are spliced from texts that are JSON already (stored rows), so that a read never parses
 * and prints what it only passes on.
 */

/** A JSON array of documents that are compact JSON texts. */
export const jsonArray = (documents: readonly string[]): string => `[${documents.join(",")}]`;

/**
 * Compact JSON of `fields` followed by the members of `raw`, whose values are JSON texts.
 * A key must not stand in both: JSON with a repeated key means different things to different readers.
 */
export function spliceJson(fields: object, raw: Readonly<Record<string, string>>): string {
	const head = JSON.stringify(fields);
	const members = Object.entries(raw)
		.map(([key, text]) => `${JSON.stringify(key)}:${text}`)
		.join(",");
	if (members === "") return head;
	return head === "{}" ? `{${members}}` : `${head.slice(0, -1)},${members}}`;
}
