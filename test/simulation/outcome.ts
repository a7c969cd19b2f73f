import type { RankingDocument } from "../../src/effects/contract.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { unpack } from "../../src/store/packing.ts";
import { decodeRecord } from "../../src/store/scan-codec.ts";
import type { Keyspace } from "./keyspace.ts";

const documentIn = (text: string | undefined): RankingDocument | null =>
	text === undefined ? null : (JSON.parse(unpack(text)) as RankingDocument);

/**
 * What a scan found, without what differs between two runs that found the same: moments, attempts, durations
 * and the worker's name.
 */
export function outcomeOf(keyspace: Keyspace, scanId: string): object {
	const keys = scanKeys(scanId);
	const record = decodeRecord(scanId, Object.fromEntries(keyspace.hash(keys.scan) ?? []));
	const results = keyspace.hash(keys.results) ?? new Map<string, string>();
	const ranking = documentIn(results.get("d:ranking"));
	const rows = [...results]
		.filter(([name]) => name.startsWith("r:"))
		.map(([name, text]) => [name, { ...JSON.parse(text), discovered_at: null }] as const)
		.sort(([a], [b]) => (a < b ? -1 : 1));
	const { context, position } = record;
	return {
		position,
		outcome: context.outcome,
		error: context.end?.error ?? null,
		found: context.opportunities_found,
		strategies: context.strategies.map(({ strategy_id, verdict, reason, tally, failures }) => ({
			strategy_id,
			verdict,
			reason,
			failures,
			tally: { ...tally, row_ids: [...tally.row_ids].sort(), data_age_seconds: null },
		})),
		ranked: ranking?.ranked ?? null,
		unproven: ranking?.unproven ?? null,
		rows,
	};
}
