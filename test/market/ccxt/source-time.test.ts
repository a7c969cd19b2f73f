import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
	believed,
	CLOCKS_APART_MS_MAX,
	isDoubted,
	slowestTime,
	type Timed,
} from "../../../src/market/ccxt/source-time.ts";
import { LIVE_SLICE_MS } from "../../../src/market/live-rules.ts";

const test = suite("market/ccxt/source-time");
const NOW = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

/** Venues named by their place, with clocks that differ by so much from `at`; null: one that has told no time. */
const venuesOf = (skews: readonly (number | null)[], at = NOW, standing = false): Timed[] =>
	skews.map((skew, i) => ({
		name: String(i),
		time: { now: () => (skew === null ? null : at + skew), standing: () => standing },
	}));
const trusted = (skews: readonly (number | null)[], at = NOW) =>
	believed(venuesOf(skews, at), NOW).map(({ name }) => Number(name));

test("the slowest of clocks that agree counts, in whole slices of what moves", () => {
	const venues = venuesOf([0, -40_000, -7_000, null]);
	assert.is(slowestTime(venues, NOW, 0), Math.floor((NOW - 40_000) / LIVE_SLICE_MS) * LIVE_SLICE_MS);
	assert.is(slowestTime(venuesOf([-7_001, -3], NOW, true), NOW, 5_000), NOW - 7_001, "one that stands is its own");
	assert.is(slowestTime(venuesOf([null, null]), NOW, 0), Math.floor(NOW / LIVE_SLICE_MS) * LIVE_SLICE_MS);
});

test("a clock that is far from the others takes nobody back, nor ahead, in time", () => {
	for (const off of [
		-72 * HOUR_MS,
		-2 * HOUR_MS,
		-CLOCKS_APART_MS_MAX - 2_000,
		CLOCKS_APART_MS_MAX + 2_000,
		72 * HOUR_MS,
	]) {
		for (const skews of [
			[0, off],
			[off, 0],
			[0, off, -1_000],
			[off, 0, 500, null],
		]) {
			const venues = venuesOf(skews);
			const lying = skews.indexOf(off);
			for (const { name } of venues)
				assert.is(isDoubted(name, venues, NOW), name === String(lying), `${skews} ${name}`);
			assert.ok(Math.abs(slowestTime(venues, NOW, 0) - NOW) <= LIVE_SLICE_MS + 1_000, String(skews));
		}
	}
	assert.equal(trusted([0, -CLOCKS_APART_MS_MAX]), [0, 1], "within the bound each counts");
});

test("clocks that agree are believed wherever they stand", () => {
	for (const at of [Date.UTC(2026, 2, 19, 19), NOW - 400 * 24 * HOUR_MS, NOW + 24 * HOUR_MS]) {
		assert.equal(trusted([0, 0], at), [0, 1]);
		assert.equal(trusted([0], at), [0]);
		assert.is(slowestTime(venuesOf([0, 0], at, true), NOW, 0), at);
		assert.equal(trusted([0, 0, -2 * HOUR_MS], at), [0, 1], "most of them are right in a replay as well");
	}
});

test.run();
