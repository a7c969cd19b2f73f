/** The oldest server that the client library and the queue support. */
export const REDIS_VERSION_MIN = "6.2";
const [MAJOR_MIN, MINOR_MIN] = [6, 2];

/** `7.0.15` and `8.1.0` are; `6.0.16` is not; text without a version is not. */
export function isSupportedVersion(version: string): boolean {
	const match = /(\d+)\.(\d+)/.exec(version);
	if (!match) return false;
	const [major, minor] = [Number(match[1]), Number(match[2])];
	return major > MAJOR_MIN || (major === MAJOR_MIN && minor >= MINOR_MIN);
}
