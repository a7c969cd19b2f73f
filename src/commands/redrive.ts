import type { ScanInput } from "../../machines/types.ts";
import { ApiError } from "../errors.ts";
import type { StartRequest, StartResult } from "../services.ts";
import type { ScanRecord, Viewer } from "../store/contract.ts";
import { nothingWaits } from "./asked.ts";
import { absentScan } from "./cancel.ts";
import type { CommandDeps } from "./deps.ts";
import { newScan, planScan, planStrategies } from "./plan.ts";
import { carriedParts, chooseRerun, redrivePlan, redriveRequest } from "./redrive-plan.ts";
import { carryOut, claimFor, join, refuseOverload, resumeStart, START_TRIES, starter, unusedId } from "./start.ts";

/** No force makes a redrive supersede: a running scan of the same filters is never touched by it. */
const NEVER_SUPERSEDES_MS = Number.MAX_SAFE_INTEGER;

export async function redriveScan(
	deps: CommandDeps,
	viewer: Viewer,
	scanId: string,
	words: readonly string[] | null,
	reservedId: string | null = null,
): Promise<StartResult> {
	const old = await deps.reader.read(scanId);
	if (!old || old.user_id !== viewer.user_id) throw await absentScan(deps, viewer, scanId);
	const before = reservedId === null ? null : await resumeStart(deps, reservedId);
	if (before) return before;
	if (!old.terminal) throw new ApiError("scan_not_terminal");
	await deps.book(old);
	const rerun = chooseRerun(old, words);
	const request = redriveRequest(old);
	const { profile, policies } = await starter(deps, viewer);
	const firstId = await unusedId(deps, viewer, reservedId);
	for (let attempt = 0; attempt < START_TRIES; attempt++) {
		await refuseActive(deps, viewer, request);
		await refuseOverload(deps);
		const planned = planScan(deps, viewer, request, profile, policies, null);
		const input: ScanInput = {
			...planned,
			scan_id: attempt === 0 && firstId !== null ? firstId : planned.scan_id,
			force_refresh: false,
			redrive_of: old.scan_id,
			strategies: redrivePlan(
				old,
				rerun,
				planStrategies({ filters: { strategy_ids: [...rerun] } }, profile, policies, deps.available),
			),
		};
		await deps.writer.create(newScan(input, deps.projections, await carriedResults(deps, viewer, old, input)));
		const claim = claimFor(deps, viewer, request, input, NEVER_SUPERSEDES_MS);
		const [decided, quiet] = await Promise.all([deps.writer.decideStart(claim), nothingWaits(deps)]);
		const place = quiet ? (deps.reserve?.(input.scan_id, viewer.user_id) ?? null) : null;
		const here = place ? { run: () => place.run(null), begun: false } : undefined;
		const result = await carryOut(deps, viewer, request, input, decided, here).finally(() => place?.leave());
		if (result?.decision === "joined") throw activeError(result.scan_id);
		if (result) return result;
	}
	throw new ApiError("internal_error");
}

const activeError = (scanId: string): ApiError =>
	new ApiError("scan_already_active", undefined, { active_scan_id: scanId });

async function refuseActive(deps: CommandDeps, viewer: Viewer, request: StartRequest): Promise<void> {
	const active = await deps.writer.activeScan(viewer.user_id, request.filter_key);
	if (active && (await join(deps, viewer, request, active.scan_id))) throw activeError(active.scan_id);
}

/** Rows and documents of the carried strategies as fields of the new scan's results. */
async function carriedResults(
	deps: CommandDeps,
	viewer: Viewer,
	old: ScanRecord,
	input: ScanInput,
): Promise<Record<string, string>> {
	const { rows: ids, documents: names } = carriedParts(input);
	const [rows, documents] = await Promise.all([
		deps.reader.rows(old.scan_id, ids),
		Promise.all(names.map((name) => deps.reader.document<unknown>(old.scan_id, name))),
	]);
	const gone = rows.length !== ids.length || (await deps.reader.read(old.scan_id)) === null;
	if (gone) throw await absentScan(deps, viewer, old.scan_id);
	const fields: Record<string, string> = {};
	ids.forEach((id, i) => {
		fields[`r:${id}`] = rows[i] as string;
	});
	names.forEach((name, i) => {
		if (documents[i] !== null) fields[`d:${name}`] = JSON.stringify(documents[i]);
	});
	return fields;
}
