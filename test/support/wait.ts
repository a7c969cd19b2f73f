/** Bounds for tests that meet real sockets and processes: they end on an event, this only stops a hang. */
export const WAIT_MS = 15_000;

/** Rejects when `promise` has not settled within `waitMs`. */
export async function within<T>(promise: Promise<T>, what: string, waitMs = WAIT_MS): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what}: nothing happened in ${waitMs} ms`)), waitMs);
	});
	try {
		return await Promise.race([promise, limit]);
	} finally {
		clearTimeout(timer);
	}
}

/** Looks at every turn of the event loop; rejects when it is not so within `waitMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, waitMs = WAIT_MS): Promise<void> {
	let over = false;
	const limit = setTimeout(() => {
		over = true;
	}, waitMs);
	while (!(await isSo())) {
		if (over) throw new Error(`not within ${waitMs} ms: ${what}`);
		await new Promise((resolve) => setImmediate(resolve));
	}
	clearTimeout(limit);
}
