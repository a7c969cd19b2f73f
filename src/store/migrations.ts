import { SCAN_MACHINE_ID } from "../../machines/types.ts";

/**
 * What this build makes of snapshots that older versions of the machine wrote. A snapshot is read as the
 * current version says; the claim that carries it on writes it so in its first commit, under its epoch like
 * any other write. Until then, and for ever in scans that have ended, what is stored stays as it was.
 */
export type StoredFields = Readonly<Record<string, string>>;

export interface Migration {
	/** `scan.v0` */
	from: string;
	/** `scan.v1` */
	to: string;
	/**
	 * Pure, on the fields of the scan hash: `input`, `snapshot`, `k:claim`, `k:<summary>`, `s:<k>`,
	 * `s:begun` and `s:settled:<k>`, `deadlines` (JSON), `position`; each as it was written.
	 * Gives the fields that change; a field that is not read any more stays. Whatever it throws makes the
	 * scan one whose state cannot be read: it is ended beside its data.
	 */
	migrate(fields: StoredFields): StoredFields;
}

/** In order of age, one step each. `scan.v1` is the first version, so there is none yet. */
export const MIGRATIONS: readonly Migration[] = [];

/** The envelope belongs to the store: no migration decides who holds a scan, or whether it has ended. */
const ENVELOPE = new Set(
	"owner seq epoch lease hb worker nonce released lost accepted accepted_at deadline_at end ended_at expires_at progress_at inbox foreign_end machine migrated_from".split(
		" ",
	),
);

export interface Upgraded {
	/** As the current version reads them. */
	fields: Record<string, string>;
	/** What the first commit has to write; null: nothing, they were current. */
	changed: Record<string, string> | null;
	/** Why an older snapshot could not be brought up to date; then `fields` are the stored ones. */
	failure: string | null;
}

export interface Versions {
	/** What this build writes. */
	readonly current: string;
	/** Versions whose scans this build may carry on, the current one first. */
	readonly carried: readonly string[];
	upgrade(fields: Record<string, string>): Upgraded;
}

/** @throws Error when a version is left in two ways, or a way does not end at `current`. */
export function versionsOf(current: string, migrations: readonly Migration[]): Versions {
	const steps = new Map<string, Migration>();
	for (const migration of migrations) {
		if (steps.has(migration.from)) throw new Error(`two migrations lead away from ${migration.from}`);
		steps.set(migration.from, migration);
	}
	const ways = new Map([...steps.keys()].map((from) => [from, wayFrom(from, current, steps)]));
	return {
		current,
		carried: [current, ...ways.keys()],
		upgrade(fields) {
			const way = ways.get(fields.machine ?? "");
			if (!way) return { fields, changed: null, failure: null };
			try {
				return upgraded(fields, current, way);
			} catch (error) {
				const reason = error instanceof Error ? error.message : "unknown";
				return { fields, changed: null, failure: `${fields.machine} to ${current}: ${reason}` };
			}
		},
	};
}

function wayFrom(from: string, current: string, steps: ReadonlyMap<string, Migration>): Migration[] {
	const way: Migration[] = [];
	for (let at = from; at !== current; ) {
		const step = steps.get(at);
		if (!step || way.includes(step)) throw new Error(`no migration leads from ${from} to ${current}`);
		way.push(step);
		at = step.to;
	}
	if (way.length === 0) throw new Error(`a migration leads away from ${current}, the current version`);
	return way;
}

function upgraded(fields: Record<string, string>, current: string, way: readonly Migration[]): Upgraded {
	const changed: Record<string, string> = {};
	for (const step of way) {
		const next = step.migrate({ ...fields, ...changed });
		const taken = Object.keys(next).find((name) => ENVELOPE.has(name));
		if (taken !== undefined) throw new Error(`the migration to ${step.to} touches ${taken}`);
		Object.assign(changed, next);
	}
	Object.assign(changed, { machine: current, migrated_from: fields.migrated_from ?? fields.machine ?? "" });
	return { fields: { ...fields, ...changed }, changed, failure: null };
}

export const builtVersions: Versions = versionsOf(SCAN_MACHINE_ID, MIGRATIONS);
