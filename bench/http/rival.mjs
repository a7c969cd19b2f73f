/**
 * The servers that the status path is compared with, plain JavaScript so that no loader slows them down:
 * `node bench/http/rival.mjs koa|jwt|get <bytes> <redis port>`, the token's secret in JWT_SECRET. Each answers every
 * request with the same JSON of `bytes`; `jwt` verifies the token by koa-jwt with a KeyObject first, `get` also
 * reads the answer from Redis. Prints its address.
 */
import { createSecretKey } from "node:crypto";
import { Redis } from "ioredis";
import Koa from "koa";
import jwt from "koa-jwt";

const [kind = "koa", bytes = "2048", redisPort = "0"] = process.argv.slice(2);
const EMPTY = JSON.stringify({ text: "" });
const constant = JSON.stringify({ text: "x".repeat(Math.max(0, Number(bytes) - EMPTY.length)) });

const app = new Koa();
if (kind !== "koa") {
	const secret = createSecretKey(Buffer.from(process.env.JWT_SECRET ?? "", "utf8"));
	app.use(jwt({ secret, algorithms: ["HS256"] }));
}
if (kind === "get") {
	const key = "bench:constant";
	const redis = new Redis({ host: "127.0.0.1", port: Number(redisPort) });
	await redis.set(key, constant);
	app.use(async (ctx) => {
		ctx.body = await redis.get(key);
		ctx.type = "application/json; charset=utf-8";
	});
} else {
	app.use((ctx) => {
		ctx.body = constant;
		ctx.type = "application/json; charset=utf-8";
	});
}
const server = app.listen(0, "127.0.0.1", () => {
	const { port } = server.address();
	process.stdout.write(`http://127.0.0.1:${port}\n`);
});
