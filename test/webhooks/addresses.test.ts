import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { isPublicAddress } from "../../src/webhooks/addresses.ts";
import { createUrlCheck } from "../../src/webhooks/url-check.ts";

/** Where a webhook may lead: the public internet, whatever an address is dressed up as. */
const addresses = suite("webhooks: addresses");

const INSIDE = [
	"0.0.0.0",
	"0.1.2.3",
	"10.0.0.1",
	"100.64.0.1",
	"100.100.100.200",
	"127.0.0.1",
	"127.255.255.254",
	"168.63.129.16",
	"169.254.169.254",
	"172.16.0.1",
	"172.31.255.255",
	"192.0.0.1",
	"192.0.2.1",
	"192.88.99.1",
	"192.168.1.1",
	"198.18.0.1",
	"198.51.100.1",
	"203.0.113.1",
	"224.0.0.1",
	"239.255.255.255",
	"240.0.0.1",
	"255.255.255.255",
	"::",
	"::1",
	"::127.0.0.1",
	"::ffff:127.0.0.1",
	"::ffff:8.8.8.8",
	"::ffff:0:127.0.0.1",
	"64:ff9b::7f00:1",
	"64:ff9b::8.8.8.8",
	"64:ff9b:1::1",
	"100::1",
	"2001::1",
	"2001:db8::1",
	"2002:7f00:1::",
	"3fff::1",
	"fc00::1",
	"fd00:ec2::254",
	"fe80::1",
	"fe80::1%eth0",
	"fec0::1",
	"ff02::1",
	"not an address",
	"",
];

addresses("everything that is not the public internet is refused", () => {
	for (const address of INSIDE) assert.is(isPublicAddress(address), false, address);
	for (const address of [
		"1.1.1.1",
		"8.8.8.8",
		"93.184.216.34",
		"100.63.255.255",
		"100.128.0.1",
		"172.32.0.1",
		"2606:4700::1111",
		"2a00:1450:4001::1",
	])
		assert.is(isPublicAddress(address), true, address);
});

addresses("no address of a private range passes in any form of writing", () => {
	const octet = fc.integer({ min: 0, max: 255 });
	const inside = fc.oneof(
		fc.tuple(fc.constantFrom(10, 127, 0), octet, octet, octet),
		fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
		fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
		fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
		fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
		fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
	);
	const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
	fc.assert(
		fc.property(inside, ([a, b, c, d]) => {
			const dotted = [a, b, c, d].join(".");
			const groups = `${hex(a, b)}:${hex(c, d)}`;
			for (const text of [
				dotted,
				`::ffff:${dotted}`,
				`::ffff:${groups}`,
				`64:ff9b::${groups}`,
				`2002:${groups}::1`,
				`::${groups}`,
			])
				assert.is(isPublicAddress(text), false, text);
		}),
	);
});

const codeOf = async (work: Promise<unknown>): Promise<string> =>
	work.then(
		(url) => String(url),
		(error: { code: string }) => error.code,
	);

addresses("a URL is judged when it is set: by its form, its address, and what its name means now", async () => {
	const zone: Record<string, string[]> = {
		"hooks.example.com": ["93.184.216.34", "2606:4700::1111"],
		"half.example.com": ["93.184.216.34", "10.0.0.7"],
	};
	const resolve = async (host: string) => {
		const found = zone[host];
		if (!found) throw Object.assign(new Error(host), { code: "ENOTFOUND" });
		return found.map((address) => ({ address }));
	};
	const check = createUrlCheck({ allowPrivate: false, allowed: isPublicAddress, clock: systemClock }, resolve);
	assert.is(await check("https://hooks.example.com:8443/a?b=1#part"), "https://hooks.example.com:8443/a?b=1");
	assert.is(
		await codeOf(check("https://not-yet.example.com/")),
		"https://not-yet.example.com/",
		"judged at each delivery",
	);
	for (const url of [
		"http://127.0.0.1/",
		"http://127.1/",
		"http://0x7f000001/",
		"http://2130706433/",
		"http://017700000001/",
		"http://[::1]/",
		"http://[::ffff:169.254.169.254]/latest/meta-data",
		"http://169.254.169.254/",
		"http://localhost:8080/",
		"http://LOCALHOST./",
		"http://a.localhost/",
		"http://metadata.google.internal/",
		"http://redis:6379/",
		"http://printer.local/",
		"https://half.example.com/",
		"http://①②⑦.0.0.1/",
	])
		assert.is(await codeOf(check(url)), "url_not_allowed", url);
	for (const url of [
		"",
		"hooks.example.com",
		"ftp://hooks.example.com/",
		"https://user:pass@hooks.example.com/",
		"https://u@hooks.example.com/",
		"javascript:alert(1)",
		"file:///etc/passwd",
		`https://hooks.example.com/${"a".repeat(3000)}`,
		"https://hooks.example.com:0/",
	])
		assert.is(await codeOf(check(url)), "validation_failed", url);
	const open = createUrlCheck({ allowPrivate: true, allowed: isPublicAddress, clock: systemClock }, resolve);
	assert.is(await open("http://127.0.0.1:9/x"), "http://127.0.0.1:9/x");
	assert.is(await codeOf(open("https://u:p@127.0.0.1/")), "validation_failed");
});

addresses.run();
