import type { Redis } from "ioredis";
import { addPairs, addResults, count } from "./field-pairs.ts";
import { encodeBatch } from "./journal-codec.ts";
import { globalKeys, scanKeys } from "./keys.ts";
import { decideStart } from "./scan-claims.ts";
import * as scripts from "./scripts.ts";
import type { NewScan, StartClaim, StartDecision } from "./write-contract.ts";

type Run = (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;

export async function create(redis: Redis, run: Run, scan: NewScan): Promise<void> {
	const keys = scanKeys(scan.scan_id);
	const fields = { owner: scan.owner, ...scan.scan };
	const { taken } = scan;
	const args = [
		...[keys.scan, keys.journal, keys.lifecycle, keys.debug, keys.results],
		...[scan.owner, count(fields), count(scan.lifecycle), count(scan.debug), scan.results.size],
		...(taken ? [taken.lease_ms, taken.seq, encodeBatch(taken.entries, taken.events)] : ["", "", ""]),
	];
	for (const part of [fields, scan.lifecycle, scan.debug]) addPairs(args, part);
	addResults(args, scan.results);
	args.push(encodeBatch([scan.entry], []));
	// Indexed first, and all in one go: nothing is accepted before each of them is answered, so that whatever happens
	// between the steps of a start, a sweeper finds the record: among the unclaimed, or by the end of its lease.
	const answers = await Promise.all([
		redis.zadd(globalKeys.due, scan.deadline_at_ms, scan.scan_id),
		taken
			? redis.zadd(globalKeys.leases, scan.accepted_at_ms + taken.lease_ms, scan.scan_id)
			: redis.zadd(globalKeys.unclaimed, scan.accepted_at_ms, scan.scan_id),
		run(scripts.CREATE, args),
	]);
	if (answers.at(-1) !== 1) throw new Error(`scan id ${scan.scan_id} is taken`);
}

/**
 * Record and claim leave together and are carried out in this order, so a start waits once for both. Null: the claim
 * was carried out before the record was there, because a script had to be sent again. Whoever met such a claim may
 * free it at any moment, so the id is given up.
 */
export async function begin(
	redis: Redis,
	run: Run,
	scan: NewScan,
	claim: StartClaim,
	giveUp: () => Promise<unknown>,
): Promise<StartDecision | null> {
	let isCreated = false;
	let inOrder = false;
	const noting =
		(note: () => void): Run =>
		async (script, args) => {
			const answer = await run(script, args);
			note();
			return answer;
		};
	const creating = create(
		redis,
		noting(() => {
			isCreated = true;
		}),
		scan,
	);
	const deciding = decideStart(
		noting(() => {
			inOrder = isCreated;
		}),
		claim,
	);
	const [created, decided] = await Promise.allSettled([creating, deciding]);
	const isOurs = decided.status === "fulfilled" && decided.value.decision === "created";
	if (created.status === "rejected") {
		if (isOurs) await giveUp().catch(() => undefined);
		throw created.reason;
	}
	if (decided.status === "rejected") throw decided.reason;
	if (!isOurs || inOrder) return decided.value;
	await giveUp();
	return null;
}
