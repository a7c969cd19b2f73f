import { validationFailed } from "../errors.ts";

/** The last scan that was shown; the next page begins below it. */
export type Cursor = { accepted_at_ms: number; scan_id: string };

export const encodeCursor = ({ accepted_at_ms, scan_id }: Cursor): string =>
	Buffer.from(`1|${accepted_at_ms}|${scan_id}`).toString("base64url");

/** Throws validation_failed for a text that is not a cursor of ours. */
export function decodeCursor(text: string): Cursor {
	const [, accepted, scan_id] =
		/^1\|(\d{1,15})\|(scan_[0-9a-f]{32})$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
	if (!accepted || !scan_id)
		throw validationFailed([{ path: "query.cursor", message: "is not a cursor of this list" }]);
	return { accepted_at_ms: Number(accepted), scan_id };
}
