import {
	globOf,
	integer,
	nextId,
	RedisError,
	type Reply,
	type Stream,
	score,
	shown,
	slice,
	streamRange,
	within,
	withScores,
	wrong,
} from "./ranges.ts";

/**
 * The Redis commands that the program uses, over plain maps, in one step each and on a clock of the
 * simulation. What a command answers is held against a real server in keyspace.test.ts.
 */
export { RedisError, type Reply };

type Value =
	| { kind: "string"; text: string }
	| { kind: "hash"; fields: Map<string, string> }
	| { kind: "set"; members: Set<string> }
	| { kind: "list"; items: string[] }
	| { kind: "zset"; scores: Map<string, number> }
	| { kind: "stream"; entries: Stream; last: [number, number] };
type Kind = Value["kind"];
type Of<K extends Kind> = Extract<Value, { kind: K }>;

const EMPTY: { [K in Kind]: () => Of<K> } = {
	string: () => ({ kind: "string", text: "" }),
	hash: () => ({ kind: "hash", fields: new Map() }),
	set: () => ({ kind: "set", members: new Set() }),
	list: () => ({ kind: "list", items: [] }),
	zset: () => ({ kind: "zset", scores: new Map() }),
	stream: () => ({ kind: "stream", entries: [], last: [0, 0] }),
};

const OK: Reply = { ok: "OK" };

export interface Keyspace {
	/** Carries out one command. Throws RedisError as a server answers an error. */
	execute(command: string, args: readonly string[]): Reply;
	/** Direct looks for checkers; never what the program sees. */
	hash(key: string): ReadonlyMap<string, string> | null;
	keys(): string[];
	/** When a key goes by itself, epoch ms; null: never. */
	expiresAtMs(key: string): number | null;
	/** Keys touched by writes since the last call. */
	takeDirty(): Set<string>;
}

export function createKeyspace(nowMs: () => number, publish: (channel: string, message: string) => number): Keyspace {
	const values = new Map<string, Value>();
	const expiries = new Map<string, number>();
	let dirty = new Set<string>();

	const live = (key: string): Value | undefined => {
		const expires = expiries.get(key);
		if (expires !== undefined && expires <= nowMs()) {
			values.delete(key);
			expiries.delete(key);
		}
		return values.get(key);
	};
	const read = <K extends Kind>(key: string, kind: K): Of<K> | undefined => {
		const value = live(key);
		if (value && value.kind !== kind) return wrong("WRONGTYPE Operation against a key holding the wrong kind of value");
		return value as Of<K> | undefined;
	};
	const write = <K extends Kind>(key: string, kind: K): Of<K> => {
		dirty.add(key);
		const held = read(key, kind);
		if (held) return held;
		const made = EMPTY[kind]();
		values.set(key, made);
		return made as Of<K>;
	};
	const remove = (key: string): boolean => {
		const there = live(key) !== undefined;
		if (there) dirty.add(key);
		values.delete(key);
		expiries.delete(key);
		return there;
	};
	const dropIfEmpty = (key: string, size: number): void => {
		if (size === 0) remove(key);
	};
	const expireAt = (key: string, atMs: number): Reply => {
		if (live(key) === undefined) return 0;
		dirty.add(key);
		expiries.set(key, atMs);
		return 1;
	};
	const ordered = (key: string): [string, number][] =>
		[...(read(key, "zset")?.scores ?? [])].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));

	const commands: Record<string, (args: readonly string[]) => Reply> = {
		TIME: () => {
			const now = nowMs();
			const seconds = Math.floor(now / 1000);
			return [String(seconds), String(Math.floor((now - seconds * 1000) * 1000))];
		},
		/** Pages of all names in order; as on a real server, what stays is seen and what comes and goes may be missed. */
		SCAN: ([cursor = "0", ...options]) => {
			const after = (name: string) => options[options.findIndex((word) => word.toUpperCase() === name) + 1] ?? "";
			const pattern = globOf(after("MATCH"));
			const names = [...values.keys()].filter((key) => live(key) !== undefined).sort();
			const from = Number(cursor);
			const to = from + Number(after("COUNT"));
			return [to < names.length ? String(to) : "0", names.slice(from, to).filter((name) => pattern.test(name))];
		},
		EXISTS: (keys) => keys.filter((key) => live(key) !== undefined).length,
		DEL: (keys) => keys.filter((key) => remove(key)).length,
		EXPIRE: ([key = "", seconds]) => expireAt(key, nowMs() + Number(seconds) * 1000),
		PEXPIRE: ([key = "", ms]) => expireAt(key, nowMs() + Number(ms)),
		PEXPIREAT: ([key = "", atMs]) => expireAt(key, Number(atMs)),
		PERSIST: ([key = ""]) => (live(key) !== undefined && expiries.delete(key) ? 1 : 0),
		PUBLISH: ([channel = "", message = ""]) => publish(channel, message),
		GET: ([key = ""]) => read(key, "string")?.text ?? null,
		SET: ([key = "", text = "", ...options]) => {
			const nx = options.some((word) => word.toUpperCase() === "NX");
			if (nx && live(key) !== undefined) return null;
			remove(key);
			write(key, "string").text = text;
			const unit = options.findIndex((word) => /^(EX|PX)$/i.test(word));
			if (unit >= 0) {
				const scale = options[unit]?.toUpperCase() === "EX" ? 1000 : 1;
				expireAt(key, nowMs() + Number(options[unit + 1]) * scale);
			}
			return OK;
		},
		INCR: ([key = ""]) => commands.INCRBY?.([key, "1"]) ?? null,
		INCRBY: ([key = "", by]) => {
			const amount = integer(by);
			const sum = integer(read(key, "string")?.text ?? "0") + amount;
			write(key, "string").text = String(sum);
			return sum;
		},
		HSET: ([key = "", ...pairs]) => {
			if (pairs.length === 0 || pairs.length % 2 === 1) wrong("ERR wrong number of arguments for 'hset' command");
			const { fields } = write(key, "hash");
			const before = fields.size;
			for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i] as string, pairs[i + 1] as string);
			return fields.size - before;
		},
		HGET: ([key = "", field = ""]) => read(key, "hash")?.fields.get(field) ?? null,
		HMGET: ([key = "", ...names]) => {
			const held = read(key, "hash");
			return names.map((name) => held?.fields.get(name) ?? null);
		},
		HGETALL: ([key = ""]) => [...(read(key, "hash")?.fields ?? [])].flat(),
		HVALS: ([key = ""]) => [...(read(key, "hash")?.fields.values() ?? [])],
		HRANDFIELD: ([key = "", count = "1"]) => [...(read(key, "hash")?.fields ?? [])].slice(0, Number(count)).flat(),
		HLEN: ([key = ""]) => read(key, "hash")?.fields.size ?? 0,
		HEXISTS: ([key = "", field = ""]) => (read(key, "hash")?.fields.has(field) ? 1 : 0),
		HDEL: ([key = "", ...names]) => {
			const held = read(key, "hash");
			if (!held) return 0;
			dirty.add(key);
			const gone = names.filter((name) => held.fields.delete(name)).length;
			dropIfEmpty(key, held.fields.size);
			return gone;
		},
		HINCRBY: ([key = "", field = "", by]) => {
			const amount = integer(by);
			const sum = integer(read(key, "hash")?.fields.get(field) ?? "0") + amount;
			write(key, "hash").fields.set(field, String(sum));
			return sum;
		},
		SADD: ([key = "", ...members]) => {
			const held = write(key, "set").members;
			const before = held.size;
			for (const member of members) held.add(member);
			return held.size - before;
		},
		SISMEMBER: ([key = "", member = ""]) => (read(key, "set")?.members.has(member) ? 1 : 0),
		LPUSH: ([key = "", ...items]) => {
			const held = write(key, "list").items;
			for (const item of items) held.unshift(item);
			return held.length;
		},
		LRANGE: ([key = "", from, to]) => slice(read(key, "list")?.items ?? [], integer(from), integer(to)),
		LTRIM: ([key = "", from, to]) => {
			const held = read(key, "list");
			if (!held) return OK;
			dirty.add(key);
			held.items = slice(held.items, integer(from), integer(to));
			dropIfEmpty(key, held.items.length);
			return OK;
		},
		ZADD: ([key = "", ...rest]) => {
			const only = rest[0]?.toUpperCase();
			const pairs = only === "XX" || only === "NX" ? rest.slice(1) : rest;
			if (only === "XX" && live(key) === undefined) return 0;
			const { scores } = write(key, "zset");
			const before = scores.size;
			for (let i = 0; i < pairs.length; i += 2) {
				const member = pairs[i + 1] as string;
				const refused = only === "XX" ? !scores.has(member) : only === "NX" && scores.has(member);
				if (!refused) scores.set(member, score(pairs[i]));
			}
			return scores.size - before;
		},
		ZREM: ([key = "", ...members]) => {
			const held = read(key, "zset");
			if (!held) return 0;
			dirty.add(key);
			const gone = members.filter((member) => held.scores.delete(member)).length;
			dropIfEmpty(key, held.scores.size);
			return gone;
		},
		ZCARD: ([key = ""]) => read(key, "zset")?.scores.size ?? 0,
		ZSCORE: ([key = "", member = ""]) => shown(read(key, "zset")?.scores.get(member)),
		ZMSCORE: ([key = "", ...members]) => {
			const held = read(key, "zset");
			return members.map((member) => shown(held?.scores.get(member)));
		},
		ZRANGE: ([key = "", from, to, ...options]) => {
			const rows = slice(ordered(key), integer(from), integer(to));
			return withScores(rows, options);
		},
		ZREVRANGE: ([key = "", from, to]) =>
			slice(ordered(key).reverse(), integer(from), integer(to)).map(([member]) => member),
		ZCOUNT: ([key = "", from, to]) => within(ordered(key), from, to).length,
		ZRANGEBYSCORE: ([key = "", from, to, ...options]) => {
			const limit = options.findIndex((word) => word.toUpperCase() === "LIMIT");
			const rows = within(ordered(key), from, to);
			const offset = limit >= 0 ? integer(options[limit + 1]) : 0;
			const count = limit >= 0 ? integer(options[limit + 2]) : -1;
			return withScores(rows.slice(offset, count < 0 ? undefined : offset + count), options);
		},
		XADD: ([key = "", ...rest]) => {
			let at = 0;
			let keep: number | null = null;
			if (rest[0]?.toUpperCase() === "MAXLEN") {
				const exact = /^[=~]$/.test(rest[1] ?? "") ? 2 : 1;
				keep = integer(rest[exact]);
				at = exact + 1;
			}
			const id = nextId(rest[at] ?? "", read(key, "stream")?.last ?? [0, 0], Math.floor(nowMs()));
			const stream = write(key, "stream");
			stream.last = id;
			stream.entries.push({ id, fields: rest.slice(at + 1) });
			if (keep !== null) stream.entries.splice(0, Math.max(0, stream.entries.length - keep));
			return id.join("-");
		},
		XLEN: ([key = ""]) => read(key, "stream")?.entries.length ?? 0,
		XRANGE: ([key = "", from = "-", to = "+", ...options]) =>
			streamRange(read(key, "stream")?.entries ?? [], from, to, options),
		XREVRANGE: ([key = "", to = "+", from = "-", ...options]) =>
			streamRange([...(read(key, "stream")?.entries ?? [])].reverse(), from, to, options),
	};
	return {
		execute(command, args) {
			const known = commands[command];
			if (!known) throw new Error(`the simulated Redis has no command ${command}: add it to keyspace.ts`);
			return known(args);
		},
		hash: (key) => read(key, "hash")?.fields ?? null,
		keys: () => [...values.keys()].filter((key) => live(key) !== undefined),
		expiresAtMs: (key) => expiries.get(key) ?? null,
		takeDirty() {
			const taken = dirty;
			dirty = new Set();
			return taken;
		},
	};
}
