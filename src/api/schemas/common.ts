import { z } from "zod";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../../accounts/passwords.ts";
import { ROLES } from "../../accounts/permissions.ts";

/** Pieces that several schemas share. */
export const roleSchema = z.enum(ROLES);
export const statusSchema = z.enum(["active", "inactive", "suspended", "pending_verification"]);
/** ISO-8601 UTC with milliseconds. */
export const timestampSchema = z.iso.datetime({ precision: 3 });
export const emailSchema = z.email().max(254);
export const passwordSchema = z.string().min(PASSWORD_LENGTH_MIN).max(PASSWORD_LENGTH_MAX);
export const doneSchema = z.strictObject({ success: z.literal(true), message: z.string() });

/** Every 4xx and 5xx; some codes add members. */
export const problemSchema = z.looseObject({
	type: z.string().regex(/^urn:problem-type:/),
	title: z.string(),
	/** A word instead of the number where clients read one; the number is in http_status then. */
	status: z.union([z.number().int(), z.string()]),
	detail: z.string(),
	instance: z.string(),
	code: z.string(),
	request_id: z.string(),
	error: z.string(),
	http_status: z.number().int().optional(),
	errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
	retry_after_seconds: z.number().optional(),
});
