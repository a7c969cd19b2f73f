import type { Commit, CommitMoment, CommitResult } from "../store/write-contract.ts";
import type { Granted } from "./claimed.ts";
import type { Lease } from "./lease.ts";
import type { RunDeps } from "./scan-run.ts";

/** How the commits of one run reach the store. */
export interface Sending {
	/** Is the scan claimed? One that this process has begun is claimed by its first commit. */
	holds(): boolean;
	/** refused: it was not as its start had left it, nothing was done, and it has to be claimed. */
	send(commit: Commit, told: (moment: CommitMoment) => void): Promise<CommitResult | "refused">;
}

/**
 * Each commit that is accepted renews the lease, from the moment it was sent; that which claims the scan begins it.
 * @param takeNonce of a claim that is expected and not made yet; null: it is made
 * @param inbox hears of the newest command that waits when the scan is claimed that way
 */
export function sendingOf(
	{ writer }: Pick<RunDeps, "writer">,
	{ record, lease_until_ms }: Granted,
	lease: Lease,
	takeNonce: string | null,
	inbox: (newest: string) => void,
): Sending {
	let isHeld = takeNonce === null;
	async function take(
		commit: Commit,
		nonce: string,
		told: (moment: CommitMoment) => void,
	): Promise<CommitResult | "refused"> {
		const sentAtMs = writer.now();
		// The moment of the claim stands in the commit: after so long a wait it is made anew, so that limits begin then.
		if (sentAtMs >= lease_until_ms) return "refused";
		const { result, inbox_newest } = await writer.take(commit, record.worker_id ?? "", nonce, told);
		if (result === "refused") return result;
		isHeld = true;
		if (result === "ok") lease.renewed(sentAtMs);
		lease.start();
		if (inbox_newest !== "") inbox(inbox_newest);
		return result;
	}
	return {
		holds: () => isHeld,
		async send(commit, told) {
			if (!isHeld && takeNonce !== null) return await take(commit, takeNonce, told);
			const sentAtMs = writer.now();
			const answer = await writer.commit(commit, told);
			if (answer === "ok") lease.renewed(sentAtMs);
			return answer;
		},
	};
}
