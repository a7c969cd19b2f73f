import type { ResultFields } from "../store/write-contract.ts";

/** What one run keeps of its own results at most, characters; what is beyond is read from the store. */
const KEPT_LENGTH_MAX = 262_144;

/**
 * Results that this run has committed itself, by field of the results key: its later effects need not read back what
 * has just been written. Never the truth: what is not here, of an earlier holder for one, lies in the store.
 */
export class KeptResults {
	private readonly texts = new Map<string, string>();
	private length = 0;

	/** @param fields of an accepted commit */
	note(fields: ResultFields): void {
		for (const [field, text] of fields) {
			this.length -= this.texts.get(field)?.length ?? 0;
			this.texts.delete(field);
			if (this.length + text.length > KEPT_LENGTH_MAX) continue;
			this.texts.set(field, text);
			this.length += text.length;
		}
	}

	text(field: string): string | undefined {
		return this.texts.get(field);
	}

	/** The texts of `fields` in their order; null when one of them is not here. */
	all(fields: readonly string[]): string[] | null {
		const found: string[] = [];
		for (const field of fields) {
			const text = this.texts.get(field);
			if (text === undefined) return null;
			found.push(text);
		}
		return found;
	}
}
