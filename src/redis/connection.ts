/** How a Redis server is reached, in the one form that ioredis and BullMQ both take. */
export type RedisConnection =
	| { path: string; password?: string; username?: string; db?: number }
	| { host: string; port: number; password?: string; username?: string; db?: number; tls?: Record<string, never> };

/** Something about Redis that the person who starts the program has to mend. No host, no credential in it. */
export class RedisSetupError extends Error {
	constructor(message: string, options?: ErrorOptions) {
		super(message, options);
		this.name = "RedisSetupError";
	}
}

const PORT_DEFAULT = 6379;

/**
 * `redis://[<user>:<password>@]<host>[:<port>][/<db>]`, the same with `rediss://` for TLS, or `unix:///path?db=1`.
 *
 * @throws RedisSetupError for anything else.
 */
export function parseRedisUrl(text: string): RedisConnection {
	if (!URL.canParse(text)) throw new RedisSetupError("REDIS_URL is not an address");
	const url = new URL(text);
	const secure = url.protocol === "rediss:";
	const auth = {
		...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
		...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
	};
	if (url.protocol === "unix:") {
		return { path: decodeURIComponent(url.pathname), ...auth, ...database(url.searchParams.get("db") ?? "") };
	}
	if ((!secure && url.protocol !== "redis:") || url.hostname === "") {
		throw new RedisSetupError("REDIS_URL must be a redis://, rediss:// or unix:// address");
	}
	return {
		host: url.hostname.replace(/^\[|\]$/g, ""),
		port: url.port === "" ? PORT_DEFAULT : Number(url.port),
		...auth,
		...database(url.pathname.slice(1)),
		...(secure ? { tls: {} } : {}),
	};
}

function database(word: string): { db?: number } {
	if (word === "") return {};
	if (!/^\d{1,4}$/.test(word)) throw new RedisSetupError("REDIS_URL names a database that is not a number");
	return { db: Number(word) };
}
