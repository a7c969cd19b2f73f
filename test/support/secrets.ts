import { brotliDecompressSync, inflateRawSync } from "node:zlib";
import type { Redis } from "ioredis";

/** Finds a secret in whatever form a program may have written it. */

/** What base64 makes of a text inside a longer one: its place modulo three decides, so there are three forms. */
function insideBase64(bytes: Buffer, encoding: "base64" | "base64url"): string[] {
	return [0, 1, 2].map((before) => {
		const whole = Buffer.concat([Buffer.alloc(before), bytes])
			.toString(encoding)
			.replace(/=+$/, "");
		// Characters that also hold bits of what stands before or after are left out.
		const from = before === 0 ? 0 : before + 1;
		const to = (before + bytes.length) % 3 === 0 ? whole.length : whole.length - 1;
		return whole.slice(from, to);
	});
}

/** All of them long enough not to be met by chance. */
export function formsOf(secret: string): string[] {
	const bytes = Buffer.from(secret);
	const forms = [
		secret,
		encodeURIComponent(secret),
		JSON.stringify(secret).slice(1, -1),
		bytes.toString("hex"),
		bytes.toString("hex").toUpperCase(),
		...insideBase64(bytes, "base64"),
		...insideBase64(bytes, "base64url"),
	];
	return [...new Set(forms)];
}

/** Places whose text holds one of the secrets; the secret's name stands in the answer, never the secret. */
export function findSecrets(
	places: Iterable<[place: string, text: string]>,
	secrets: Record<string, string>,
): string[] {
	const wanted = Object.entries(secrets).map(([name, secret]) => ({ name, forms: formsOf(secret) }));
	const found: string[] = [];
	for (const [place, text] of places) {
		for (const { name, forms } of wanted) {
			if (forms.some((form) => text.includes(form))) found.push(`${name} in ${place}`);
		}
	}
	return found;
}

/** Bytes as text that keeps every one of them, beside what they are when they are compressed. */
function textOf(bytes: Buffer): string {
	const text = bytes.toString("latin1");
	const inflate = /[^\t\n\r -~]/.test(text.slice(0, 200))
		? () => brotliDecompressSync(bytes)
		: /^[\w+/]{20}/.test(text)
			? () => inflateRawSync(Buffer.from(text, "base64"))
			: null;
	try {
		return inflate ? `${text}\n${inflate().toString("latin1")}` : text;
	} catch {
		return text;
	}
}

async function valuesOf(redis: Redis, key: string): Promise<Buffer[]> {
	const type = await redis.type(key);
	const flat = (value: unknown): Buffer[] =>
		Buffer.isBuffer(value) ? [value] : Array.isArray(value) ? value.flatMap(flat) : [];
	switch (type) {
		case "string":
			return flat(await redis.getBuffer(key));
		case "hash":
			return Object.entries(await redis.hgetallBuffer(key)).flatMap(([field, value]) => [Buffer.from(field), value]);
		case "list":
			return flat(await redis.lrangeBuffer(key, 0, -1));
		case "set":
			return flat(await redis.smembersBuffer(key));
		case "zset":
			return flat(await redis.zrangeBuffer(key, 0, "-1"));
		case "stream":
			return flat(await redis.xrangeBuffer(key, "-", "+"));
		case "none":
			return [];
		default:
			throw new Error(`${key} has a type that this search does not know: ${type}`);
	}
}

/** Every key of the database with all that it holds, as text. */
export async function wholeKeyspace(redis: Redis): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	for (let cursor = "0"; ; ) {
		const [next, keys] = await redis.scan(cursor, "COUNT", 1_000);
		for (const key of keys) found.set(key, [key, ...(await valuesOf(redis, key)).map(textOf)].join("\n"));
		cursor = next;
		if (cursor === "0") return found;
	}
}
