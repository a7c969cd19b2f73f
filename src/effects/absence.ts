import { isAbsence } from "./errors.ts";

/** What a source does not have is null here, as the port says of books and funding. */
export const orAbsent = <T>(work: Promise<T | null>): Promise<T | null> =>
	work.catch((error: unknown) => {
		if (isAbsence(error)) return null;
		throw error;
	});
