/** An error by its facts: a class does not survive the way between threads. */
export interface PlainError {
	code: string | null;
	message: string;
	retryable: boolean;
}

export function plainError(error: unknown): PlainError {
	const { code, message, retryable } = (typeof error === "object" && error !== null ? error : {}) as Record<
		string,
		unknown
	>;
	return {
		code: typeof code === "string" ? code : null,
		message: typeof message === "string" ? message : String(error),
		retryable: retryable === true,
	};
}
