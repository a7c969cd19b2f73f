import { suite } from "uvu";
import * as assert from "uvu/assert";
import { z } from "zod";
import { tagMatchesStrongly } from "../../src/api/etag.ts";
import { route } from "../../src/api/route.ts";
import { type Answer, startWorld, within } from "../support/api.ts";
import { probe } from "../support/probe-routes.ts";

type World = Awaited<ReturnType<typeof startWorld>>;
let world: World;
let token: string;

const tagged = (path: string, etag: string, length: number) =>
	route({
		...probe,
		method: "get",
		path,
		operation_id: `probe${path.replace(/\W/g, "_")}`,
		query: z.object({}),
		handler: async ({ headers }) => ({
			status: 200,
			body: { text: "x".repeat(length), if_match: tagMatchesStrongly(headers["if-match"] ?? "", etag) },
			etag,
		}),
	});

const test = suite("API: validators and compression");
test.before(async () => {
	const routes = [
		tagged("/probe/strong", '"scan_1-7"', 3000),
		tagged("/probe/weak", 'W/"scan_1-7"', 3000),
		tagged("/probe/small", '"scan_1-7"', 10),
	];
	world = await startWorld({ deps: { routes } });
	token = String((await world.api.login())["access_token"]);
});
test.after(() => world.stop());

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
	world.api.call("GET", `/api/v1/probe/${path}`, { token, headers });

test(
	"a strong validator names one sequence of bytes: each encoding has its own",
	within(8000, async () => {
		const plain = await get("strong");
		assert.is(plain.headers["etag"], '"scan_1-7"');
		const tags = new Set([plain.headers["etag"]]);
		for (const encoding of ["gzip", "br", "deflate"]) {
			const answer = await get("strong", { "accept-encoding": encoding });
			assert.is(answer.headers["content-encoding"], encoding);
			assert.match(answer.headers["vary"] ?? "", /accept-encoding/i);
			assert.is(answer.headers["etag"], `"scan_1-7-${encoding}"`);
			tags.add(answer.headers["etag"]);
		}
		assert.is(tags.size, 4);
	}),
);

test(
	"what is not compressed and what is weak keeps its validator",
	within(8000, async () => {
		assert.is((await get("small", { "accept-encoding": "gzip" })).headers["etag"], '"scan_1-7"');
		assert.is((await get("weak", { "accept-encoding": "gzip" })).headers["etag"], 'W/"scan_1-7"');
	}),
);

test(
	"If-None-Match matches whichever encoding the caller holds, and the 304 names the one it asked about",
	within(8000, async () => {
		for (const tag of [
			'"scan_1-7"',
			'"scan_1-7-gzip"',
			'"scan_1-7-br"',
			'W/"scan_1-7-gzip"',
			'"old", "scan_1-7-gzip"',
		]) {
			for (const accepted of ["identity", "gzip"]) {
				const answer = await get("strong", { "if-none-match": tag, "accept-encoding": accepted });
				assert.is(answer.status, 304, `${tag} with ${accepted}`);
				const asked = tag.match(/scan_1-7[\w-]*/)?.[0];
				assert.is(answer.headers["etag"], `"${asked}"`);
			}
		}
		assert.is((await get("weak", { "if-none-match": '"scan_1-7-gzip"' })).status, 304);
		assert.is((await get("strong", { "if-none-match": '"scan_1-8-gzip"' })).status, 200);
		assert.is((await get("strong", { "if-none-match": '"scan_1-7-zip"' })).status, 200);
	}),
);

test(
	"If-Match accepts the validator of a compressed answer as that of the resource",
	within(8000, async () => {
		const matches = async (tag: string) => (await get("small", { "if-match": tag })).json["if_match"];
		assert.is(await matches('"scan_1-7-gzip"'), true);
		assert.is(await matches('"scan_1-7"'), true);
		assert.is(await matches('"scan_1-6-gzip"'), false);
		assert.is(await matches('W/"scan_1-7-gzip"'), false);
	}),
);

test.run();
