import type { ScanInput } from "../../machines/types.ts";
import type { Idempotency } from "../../src/accounts/idempotency.ts";
import type { Effects } from "../../src/effects/contract.ts";
import type { ScanReader, ScanRecord } from "../../src/store/contract.ts";
import { wholeInput } from "../../src/store/input-codec.ts";
import * as scripts from "../../src/store/scripts.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import type { Profile } from "./faults.ts";

/** Faults put into the program on purpose: each must be found by the simulation within some seeds. */
export interface Mutant {
	name: string;
	/** Invariants that may report it. */
	caughtBy: readonly string[];
	/** The trouble under which it shows soonest; absent: everything at once. */
	profile?: Profile;
	/** Of what shows rarely: how many seeds are tried. */
	seedsMax?: number;
	writer?(real: ScanWriter): ScanWriter;
	reader?(real: ScanReader): ScanReader;
	effects?(real: Effects): Effects;
	idempotency?(real: Idempotency): Idempotency;
	/** Another command in place of the one that was sent. */
	script?(
		name: string | null,
		command: string,
		args: readonly string[],
	): { command: string; args: readonly string[] } | undefined;
}

const EDITABLE = { COMMIT: scripts.COMMIT, CLAIM: scripts.CLAIM, CREATE: scripts.CREATE, START: scripts.START };

/** The script of that name with a part taken out or replaced; fails when the part is no longer there. */
function edited(wanted: keyof typeof EDITABLE, part: string, instead: string): NonNullable<Mutant["script"]> {
	const { lua } = EDITABLE[wanted];
	if (!lua.includes(part)) throw new Error(`${wanted} has no "${part}" any more: plant the fault anew`);
	const changed = lua.replace(part, instead);
	return (name, _, args) => (name === wanted ? { command: "EVAL", args: [changed, ...args.slice(1)] } : undefined);
}

export const MUTANTS: readonly Mutant[] = [
	{
		name: "the commit ignores the epoch",
		profile: "slow",
		caughtBy: ["I2"],
		script: edited("COMMIT", "if v[1] ~= ARGV[1] then return {'fenced', tostring(now)} end", ""),
	},
	{
		name: "a claim ignores a live lease",
		profile: "everything",
		caughtBy: ["I2"],
		script: edited("CLAIM", "if live and not", "if false and not"),
	},
	{
		name: "a scan is made as claimed without a lease",
		profile: "calm",
		caughtBy: ["I2"],
		script: edited("CREATE", "'lease', now + ARGV[6]", "'lease', 0"),
	},
	{
		name: "the commit looks at neither epoch nor seq",
		profile: "freezes",
		caughtBy: ["I2", "I4", "I5", "I6", "I8"],
		script: edited(
			"COMMIT",
			`if v[1] ~= ARGV[1] then return {'fenced', tostring(now)} end
if v[2] == ARGV[3] then return {'duplicate', tostring(now)} end
if v[2] ~= ARGV[2] or v[3] == '1' then return {'fenced', tostring(now)} end`,
			"",
		),
	},
	{
		name: "a start does not look at the claim",
		profile: "calm",
		caughtBy: ["one active scan"],
		script: edited("START", "local held = redis.call('HGET', KEYS[1], ARGV[1])", "local held = false"),
	},
	{
		name: "effects run before the commit is answered",
		profile: "calm",
		caughtBy: ["I3"],
		writer: (real) => ({
			...real,
			async commit(commit) {
				real.commit(commit).catch(() => undefined);
				return "ok";
			},
		}),
	},
	{
		name: "deadlines are not armed again after a restore",
		profile: "hangs",
		caughtBy: ["I5", "I7", "result"],
		writer: (real) => ({
			...real,
			async claim(...args) {
				const claim = await real.claim(...args);
				// Time that is given back arms two of them anew, so none is given back either.
				return claim.kind === "granted" ? { ...claim, idle_ms: 0, record: { ...claim.record, deadlines: {} } } : claim;
			},
		}),
	},
	{
		name: "status is answered from memory",
		profile: "calm",
		caughtBy: ["I4", "I1"],
		reader: (real) => {
			const held = new Map<string, ScanRecord | null>();
			let reads = 0;
			return {
				...real,
				async read(scanId) {
					reads += 1;
					const known = held.get(scanId);
					if (known && reads % 7 === 0) return known;
					if (known && reads % 3 !== 0) return real.read(scanId);
					const record = await real.read(scanId);
					held.set(scanId, record);
					return record;
				},
			};
		},
	},
	{
		name: "an id is told before its record is accepted",
		profile: "calm",
		caughtBy: ["I1", "answers"],
		writer: (real) => ({ ...real, accept: async () => true }),
	},
	{
		name: "nobody looks for starts whose job was lost",
		profile: "everything",
		caughtBy: ["I5", "I9"],
		writer: (real) => ({ ...real, unclaimed: async () => [] }),
	},
	{
		name: "a finished strategy's result is not stored",
		profile: "calm",
		caughtBy: ["I6", "I8", "result", "I4", "I2"],
		writer: (real) => ({
			...real,
			commit(commit) {
				const scan = Object.fromEntries(
					Object.entries(commit.scan).filter(([name, text]) => !/^s:2$/.test(name) || !text.includes('"settled"')),
				);
				return real.commit({ ...commit, scan });
			},
		}),
	},
	{
		name: "a tally counts a candidate that was never looked at",
		profile: "calm",
		caughtBy: ["I8"],
		writer: (real) => ({
			...real,
			commit(commit) {
				const scan = Object.fromEntries(
					Object.entries(commit.scan).map(([name, text]) => [name, text.replace('"no_trigger":1', '"no_trigger":2')]),
				);
				return real.commit({ ...commit, scan });
			},
		}),
	},
	{
		name: "an ended scan keeps its user's claim",
		profile: "calm",
		caughtBy: ["leftovers", "answers"],
		writer: (real) => ({
			...real,
			async finish(record) {
				await real.unlist(record.scan_id);
				return [];
			},
		}),
	},
	{
		name: "an expired scan is unknown",
		profile: "calm",
		caughtBy: ["I1"],
		reader: (real) => ({ ...real, expiredAt: async () => null }),
	},
	{
		name: "a scan expires before its time",
		profile: "calm",
		caughtBy: ["I1", "answers"],
		script: edited("COMMIT", "text(now + ARGV[5])", "text(now + ARGV[5] / 4)"),
	},
	{
		name: "the results of an expired scan stay",
		profile: "calm",
		caughtBy: ["leftovers", "I1"],
		script: edited("COMMIT", "for k = 1, 6 do redis.call('PEXPIREAT'", "for k = 1, 4 do redis.call('PEXPIREAT'"),
	},
	{
		name: "a redrive changes what it carries over",
		profile: "market",
		caughtBy: ["redrive", "I8", "I2"],
		writer: (real) => ({
			...real,
			create(scan) {
				const input = wholeInput(scan.scan.input ?? "{}") as ScanInput;
				for (const { carried } of input.strategies) if (carried) carried.tally.candidates_total += 1;
				return real.create({ ...scan, scan: { ...scan.scan, input: JSON.stringify(input) } });
			},
		}),
	},
	{
		name: "a key is given back with its answer",
		profile: "calm",
		caughtBy: ["one scan per key"],
		idempotency: (real) => ({
			async reserve(...request) {
				const reservation = await real.reserve(...request);
				if (reservation.kind !== "granted") return reservation;
				return { ...reservation, conclude: () => reservation.conclude("refused") };
			},
		}),
	},
];
