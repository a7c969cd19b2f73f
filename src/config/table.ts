/** The README's table of settings, made from the schema that checks them. */

import type { SettingMeta } from "./fields.ts";
import { environmentSchema } from "./settings.ts";

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** Markdown, one row per setting in the order of the schema, without a final newline. */
export function settingsTable(): string {
	const rows = Object.entries(environmentSchema.shape).map(([name, schema]) => {
		const meta = schema.meta() as SettingMeta | undefined;
		if (!meta) throw new Error(`setting ${name} has no description`);
		return `| ${meta.group} | \`${name}\` | ${cell(meta.default_text)} | ${cell(meta.description)} |`;
	});
	return ["| Group | Setting | Default | Meaning |", "|---|---|---|---|", ...rows].join("\n");
}
