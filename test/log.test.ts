import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isScanId, systemEntropy } from "../src/entropy.ts";
import { createLogger, withoutCredentials } from "../src/log.ts";

const test = suite("log and entropy");

function capture(level = "info") {
	const lines: string[] = [];
	return { lines, logger: createLogger(level, { write: (line: string) => void lines.push(line) }) };
}

test("an entry is one JSON line with a word for its level and an ISO time", () => {
	const { lines, logger } = capture();
	logger.info({ scan_id: "scan_1" }, "a\nb");
	logger.debug("not shown");
	assert.is(lines.length, 1);
	assert.is(lines[0]?.trimEnd().includes("\n"), false);
	const entry = JSON.parse(lines[0] ?? "");
	assert.equal([entry.level, entry.msg, entry.scan_id], ["info", "a\nb", "scan_1"]);
	assert.match(entry.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test("secret members are replaced at the top and two levels down", () => {
	const { lines, logger } = capture();
	const secret = "s3cr3t-value";
	logger.info({ password: secret, req: { headers: { authorization: secret, cookie: secret } } }, "in");
	logger.info({ config: { jwtSecrets: [secret], redisUrl: secret }, body: { refresh_token: secret, api_key: secret } });
	logger.info({ token: secret, secret, a: { b: { access_token: secret } } });
	assert.not.match(lines.join(""), /s3cr3t/);
});

test("errors keep message, code and cause, not what a client hung on them", () => {
	const { lines, logger } = capture();
	const refused = Object.assign(new Error("WRONGPASS for redis://joe:s3cr3t@host"), {
		code: "WRONGPASS",
		command: { name: "auth", args: ["joe", "s3cr3t"] },
	});
	logger.error({ err: new Error("outer", { cause: refused }) }, "failed");
	const entry = JSON.parse(lines[0] ?? "");
	assert.is(entry.err.message, "outer");
	assert.is(entry.err.cause.code, "WRONGPASS");
	assert.not.match(lines.join(""), /s3cr3t/);
});

test("credentials leave every address of a text", () => {
	assert.is(withoutCredentials("a redis://u:p@h:1/2 b https://x@y/ c"), "a redis://***@h:1/2 b https://***@y/ c");
	assert.is(withoutCredentials("mail me@example.org"), "mail me@example.org");
});

test("ids have the documented forms", () => {
	assert.ok(isScanId(systemEntropy.scanId()));
	for (const word of ["", "scan_", `scan_${"A".repeat(32)}`, `scan_${"a".repeat(33)}`]) assert.not(isScanId(word));
	assert.match(systemEntropy.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.match(systemEntropy.token(), /^[A-Za-z0-9_-]{43}$/);
	assert.is(systemEntropy.hex(8).length, 16);
	assert.is(new Set(Array.from({ length: 100 }, () => systemEntropy.scanId())).size, 100);
});

test.run();
