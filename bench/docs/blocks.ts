/** Parts of a document that a command writes, between two comments; the rest belongs to its author. */

const open = (name: string): string => `<!-- generated: ${name} -->`;
const CLOSE = "<!-- /generated -->";
const BLOCK = /<!-- generated: ([\w-]+) -->\n([\s\S]*?)<!-- \/generated -->/g;

/** Names and contents of the generated parts, in order. */
export const blocksIn = (text: string): Map<string, string> =>
	new Map([...text.matchAll(BLOCK)].map((match) => [match[1] ?? "", (match[2] ?? "").trim()]));

/** The text with the named parts rewritten; parts without a new content stay as they are. Throws for a part that is missing. */
export function withBlocks(text: string, contents: Readonly<Record<string, string>>): string {
	const known = blocksIn(text);
	for (const name of Object.keys(contents)) {
		if (!known.has(name)) throw new RangeError(`the document has no part ${open(name)} ... ${CLOSE}`);
	}
	return text.replace(BLOCK, (whole, name: string) => {
		const content = contents[name];
		return content === undefined ? whole : `${open(name)}\n${content.trim()}\n${CLOSE}`;
	});
}

/** Rows as a Markdown table; bars in cells are escaped. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
	[head, head.map(() => "---"), ...rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")))]
		.map((row) => `| ${row.join(" | ")} |`)
		.join("\n");
