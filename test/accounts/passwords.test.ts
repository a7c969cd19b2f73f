import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPasswordHasher } from "../../src/accounts/passwords.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { ApiError } from "../../src/errors.ts";
import { within } from "../support/api.ts";

const passwords = suite("accounts: whose turn it is at the password hash");

const hasher = (options: { queueMax: number; shareMax: number }) =>
	createPasswordHasher(systemEntropy, { cost: { n_log2: 10, r: 8, p: 1 }, concurrency: 1, ...options });

const codes = (results: PromiseSettledResult<unknown>[]) =>
	results.flatMap((result) => (result.status === "rejected" ? [(result.reason as ApiError).code] : []));

passwords(
	"a flood from one address is refused with 429 at its share; another address is served before the flood's rest",
	within(10_000, async () => {
		const { verify } = hasher({ queueMax: 40, shareMax: 5 });
		const served: string[] = [];
		const attempt = (by: string) => verify("wrong password", null, by).then(() => void served.push(by));
		const flood = Promise.allSettled(Array.from({ length: 20 }, () => attempt("flooder")));
		const others = [attempt("somebody"), attempt("somebody else")];
		assert.equal(codes(await Promise.allSettled(others)), []);
		const refused = codes(await flood);
		assert.equal(
			refused,
			Array.from({ length: 14 }, () => "login_rate_limited"),
			"one ran, five waited",
		);
		assert.equal(served.slice(0, 4), ["flooder", "flooder", "somebody", "somebody else"], "in turn, not in line");
		assert.is(served.length, 8);
	}),
);

passwords(
	"many addresses together cannot fill more than the whole queue, and it empties again",
	within(10_000, async () => {
		const { verify } = hasher({ queueMax: 6, shareMax: 5 });
		const flood = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => verify("wrong", null, `address-${i}`)));
		assert.is(codes(flood).length, 13, "one ran, six waited");
		assert.is(await verify("wrong", null, "afterwards"), false);
	}),
);

passwords.run();
