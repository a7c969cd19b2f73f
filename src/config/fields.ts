/**
 * Building blocks of the environment schema. Every setting arrives as text; each block checks it,
 * says in one sentence what it expected, and carries what the README's table needs to know.
 */
import { z } from "zod";

/** What a setting says of itself; attached with `.meta()` and read back by the table. */
export interface SettingMeta {
	group: "Server" | "Access" | "Limits" | "Market data" | "Scans" | "Liveness" | "Retention";
	/** As shown in the table: the default, or what happens without the setting. */
	default_text: string;
	description: string;
	/** The value never appears in a message. */
	secret?: true;
}

/** The longest delay a timer can hold: 2^31 - 1 ms. */
export const TIMER_MS_MAX = 2_147_483_647;
const YEAR_MS = 366 * 86_400_000;

/** Whole number in [min, max]; `1_000` and `1e3` are refused, so a typo cannot become a limit. */
export const wholeNumber = (min: number, max: number, unit: string) =>
	z
		.string()
		.regex(/^\d{1,15}$/, `must be a whole number${unit} between ${min} and ${max}`)
		.transform(Number)
		.refine((value) => value >= min && value <= max, `must be between ${min} and ${max}${unit}`);

type Notes = Omit<SettingMeta, "default_text">;

/** A duration in milliseconds that drives a timer. */
export const durationMs = (fallback: number, min: number, notes: Notes, max = TIMER_MS_MAX) =>
	wholeNumber(min, max, " of milliseconds")
		.default(fallback)
		.meta({ ...notes, default_text: String(fallback) });

/** A duration in milliseconds that only Redis counts, so it may exceed a timer's range. */
export const lifetimeMs = (fallback: number, notes: Notes) => durationMs(fallback, 1000, notes, 10 * YEAR_MS);

export const count = (fallback: number, min: number, max: number, notes: Notes) =>
	wholeNumber(min, max, "")
		.default(fallback)
		.meta({ ...notes, default_text: String(fallback) });

export const oneOf = <W extends string>(words: readonly W[], fallback: NoInfer<W>, notes: Notes) =>
	z
		.string()
		.refine((word) => words.includes(word as W), `must be one of: ${words.join(", ")}`)
		.optional()
		.transform((word) => (word as W | undefined) ?? fallback)
		.meta({ ...notes, default_text: fallback });

const ON = new Set(["on", "true", "1", "yes"]);
const OFF = new Set(["off", "false", "0", "no"]);

/** on/off; true, 1, yes and their opposites are understood as well. */
export const onOff = (fallback: boolean, notes: Notes) =>
	z
		.string()
		.refine((word) => ON.has(word.toLowerCase()) || OFF.has(word.toLowerCase()), "must be on or off")
		.transform((word) => ON.has(word.toLowerCase()))
		.default(fallback)
		.meta({ ...notes, default_text: fallback ? "on" : "off" });

export const text = (fallback: string, notes: Notes) =>
	z
		.string()
		.default(fallback)
		.meta({ ...notes, default_text: fallback });

export const email = (fallback: string, notes: Notes) =>
	z
		.string()
		.regex(/^[^\s@]+@[^\s@]+$/, "must be an e-mail address")
		.default(fallback)
		.meta({ ...notes, default_text: fallback });

/** Absent stays null; `default_text` says what that means. */
export const optionalText = (meta: SettingMeta) => optional(z.string(), meta);

export const optional = <T extends z.ZodType>(schema: T, meta: SettingMeta) =>
	schema
		.optional()
		.transform((value) => value ?? null)
		.meta({ ...meta });
