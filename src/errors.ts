/**
 * Every error the API can answer with: code -> HTTP status and title.
 * Matching goes by `code`, never by message text.
 */
export const ERROR_CODES = {
	malformed_json: [400, "The request body is not valid JSON"],
	authentication_required: [401, "Authentication is required"],
	token_invalid: [401, "The access token is not valid"],
	token_expired: [401, "The access token has expired"],
	token_revoked: [401, "The login has been revoked"],
	invalid_credentials: [401, "Unknown e-mail or wrong password"],
	refresh_token_reused: [401, "The refresh token was already used"],
	account_inactive: [403, "The account is not active"],
	insufficient_permissions: [403, "The role lacks the permission"],
	registration_closed: [403, "Registration is closed"],
	package_not_allowed: [403, "The welcome package needs a grant by an administrator"],
	not_found: [404, "No such resource"],
	scan_not_found: [404, "Scan not found"],
	journal_entry_not_found: [404, "Journal entry not found"],
	machine_not_found: [404, "Machine not found"],
	strategy_not_found: [404, "Strategy not found"],
	user_not_found: [404, "User not found"],
	schedule_not_found: [404, "Schedule not found"],
	webhook_not_found: [404, "Webhook not found"],
	account_not_found: [404, "Account not found"],
	method_not_allowed: [405, "The method is not allowed here"],
	scan_already_terminal: [409, "The scan has already ended"],
	scan_failed: [409, "The scan failed"],
	scan_cancelled: [409, "The scan was cancelled"],
	scan_not_terminal: [409, "The scan is still running"],
	scan_already_active: [409, "A scan of the same filters is running"],
	nothing_to_redrive: [409, "No strategy qualifies for a redrive"],
	limit_reached: [409, "The limit is reached"],
	email_taken: [409, "The user exists already"],
	idempotency_in_flight: [409, "The first request with this key is still being decided"],
	scan_expired: [410, "The scan has expired"],
	precondition_failed: [412, "The resource has changed"],
	payload_too_large: [413, "The request body is too large"],
	unsupported_media_type: [415, "The media type is not supported"],
	validation_failed: [422, "The request is not valid"],
	idempotency_key_reused: [422, "The idempotency key was used with another request"],
	url_not_allowed: [422, "The address is not allowed"],
	account_key_too_powerful: [422, "The exchange key may trade or withdraw"],
	rate_limited: [429, "Too many requests"],
	login_rate_limited: [429, "Too many failed logins"],
	internal_error: [500, "Internal error"],
	store_unavailable: [503, "The store is unavailable"],
	overloaded: [503, "The server is overloaded"],
	shutting_down: [503, "The server is shutting down"],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ProblemField {
	/** Dotted: `body.symbols.2`, `query.wait`. */
	path: string;
	message: string;
}

/** Thrown anywhere below the API; the one error middleware turns it into problem+json. */
export class ApiError extends Error {
	readonly code: ErrorCode;
	readonly http_status: number;
	/** Members added to the problem body, e.g. errors, retry_after_seconds, active_scan_id. */
	readonly extra: Record<string, unknown>;
	constructor(code: ErrorCode, detail?: string, extra: Record<string, unknown> = {}) {
		super(detail ?? ERROR_CODES[code][1]);
		this.name = "ApiError";
		this.code = code;
		this.http_status = ERROR_CODES[code][0];
		this.extra = extra;
	}
}

export const validationFailed = (errors: ProblemField[]): ApiError =>
	new ApiError("validation_failed", `${errors[0]?.path ?? "request"}: ${errors[0]?.message ?? "invalid"}`, { errors });
