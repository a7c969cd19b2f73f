import { createHash } from "node:crypto";
import { shownStatus } from "../support/status-rules.ts";
import type { Observation, ScanEndSeen, StatusBody } from "./observations.ts";

/** A client that takes the API processes in turn and notes every answer. */

/** Longer than this nobody waits for an answer, beyond the wait that was asked for. */
const GIVE_UP_MS = 15_000;

type Body = ReturnType<typeof JSON.parse>;

export interface Answer {
	http: number;
	body: Body;
	text: string;
	sent_ms: number;
	done_ms: number;
}

export class Caller {
	private turn: number;
	private token = "";
	private readonly urls: () => string[];
	private readonly note: (seen: Observation) => void;

	constructor(urls: () => string[], note: (seen: Observation) => void, turn = 0) {
		this.urls = urls;
		this.note = note;
		this.turn = turn;
	}

	/** Another client of the same login. */
	as(turn: number): Caller {
		const other = new Caller(this.urls, this.note, turn);
		other.token = this.token;
		return other;
	}

	async login(email: string, password: string): Promise<boolean> {
		const answer = await this.call("POST", "/auth/login", { email, password });
		this.token = answer?.body?.access_token ?? "";
		return this.token !== "";
	}

	/** Null: no answer. */
	async call(method: string, path: string, body?: unknown, waitMs = 0): Promise<Answer | null> {
		const urls = this.urls();
		const base = urls[this.turn++ % Math.max(1, urls.length)];
		if (!base) return null;
		const sent_ms = Date.now();
		const signal = AbortSignal.timeout(waitMs + GIVE_UP_MS);
		const what = `${method} ${path.replace(/scan_[0-9a-f]+/, "{scan}").replace(/\?.*/, "")}`;
		const noted = (http: number) =>
			this.note({
				kind: "answer",
				what,
				sent_ms,
				done_ms: Date.now(),
				http,
				gave_up: http === 0 && signal.aborted,
				wait_ms: waitMs,
			});
		try {
			const response = await fetch(`${base}/api/v1${path}`, {
				method,
				headers: {
					...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
					...(body === undefined ? {} : { "content-type": "application/json" }),
				},
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
				signal,
			});
			const text = await response.text();
			noted(response.status);
			return { http: response.status, body: text ? JSON.parse(text) : null, text, sent_ms, done_ms: Date.now() };
		} catch {
			noted(0);
			return null;
		}
	}

	/** Null: no answer, or one that says nothing about the scan (503). */
	async status(scanId: string, waitS = 0): Promise<StatusBody | null> {
		const path = `/opportunities/status/${scanId}${waitS > 0 ? `?wait=${waitS}` : ""}`;
		const answer = await this.call("GET", path, undefined, waitS * 1000);
		if (!answer) return null;
		const { http, sent_ms, done_ms } = answer;
		const body = http === 200 ? statusBody(answer.body) : null;
		const code = http === 200 ? null : (answer.body?.code ?? null);
		this.note({ kind: "status", scan_id: scanId, sent_ms, done_ms, http, body, code });
		return body;
	}

	/** Null while it runs or cannot be read. */
	async results(scanId: string): Promise<ScanEndSeen | null> {
		const answer = await this.call("GET", `/opportunities/results/${scanId}`);
		if (!answer) return null;
		const { http, body, text, sent_ms, done_ms } = answer;
		if (http === 404 || http === 410) {
			this.note({ kind: "status", scan_id: scanId, sent_ms, done_ms, http, body: null, code: body?.code ?? null });
		}
		if (http === 200) {
			this.note({ kind: "results", scan_id: scanId, digest: createHash("sha256").update(text).digest("hex") });
			return { state: "complete", reason: null, verdicts: verdictLines(body), rows: body.opportunities.map(idOf) };
		}
		if (http !== 409) return null;
		const reason = body.failure?.code ?? body.reason;
		return { state: body.state, reason, verdicts: verdictLines(body), rows: null };
	}

	/** True: the scan is cancelled. */
	async cancel(scanId: string): Promise<boolean> {
		const answer = await this.call("POST", `/opportunities/scans/${scanId}/cancel`, {});
		if (!answer) return false;
		const { http, sent_ms, done_ms, body } = answer;
		if (http === 404 || http === 410) {
			this.note({ kind: "status", scan_id: scanId, sent_ms, done_ms, http, body: null, code: body?.code ?? null });
		}
		if (http === 200) this.note({ kind: "cancel", scan_id: scanId, done_ms });
		return http === 200;
	}

	/** The id of the scan that was started, joined or found fresh. */
	async start(user: string, request: Record<string, unknown>): Promise<{ scan_id: string; filters: string } | null> {
		const answer = await this.call("POST", "/opportunities/discover", request);
		if (answer?.http !== 200) return null;
		const { sent_ms, done_ms, body } = answer;
		const filters = JSON.stringify(body.filters);
		this.note({ kind: "start", sent_ms, done_ms, user, filters, scan_id: body.scan_id });
		return { scan_id: body.scan_id, filters };
	}
}

const idOf = ({ opportunity_id }: { opportunity_id: string }): string => opportunity_id;

const statusBody = (body: Body): StatusBody => ({
	...shownStatus(body),
	deadline_at_ms: Date.parse(body.deadline_at),
});

const verdictLines = (body: Body): ScanEndSeen["verdicts"] =>
	(body.strategy_results ?? []).map(({ strategy_id, verdict, evaluated, published, unproven, rejected }: Body) => [
		strategy_id,
		verdict,
		evaluated,
		published,
		unproven,
		Object.values(rejected as Record<string, number>).reduce((sum, count) => sum + count, 0),
	]);
