import { setTimeout as pause } from "node:timers/promises";
import { createDraws, hashKey } from "../../src/market/simulated-random.ts";
import { Caller } from "./caller.ts";
import type { Observation } from "./observations.ts";

/** Users who start scans, equal and different ones, forced and not, watch them on two servers and cancel some. */

/** A few strategies are enough: chaos is about what happens to scans, not about what they compute. */
export const STRATEGIES = "spot_momentum,spot_mean_reversion,funding_arbitrage,risk_management";
const PASSWORD = "another horse";
const BASES =
	"BTC,ETH,SOL,XRP,BNB,DOGE,SUI,ADA,LINK,AVAX,TRX,LTC,BCH,DOT,ATOM,NEAR,APT,ARB,OP,UNI,AAVE,INJ,FIL,XLM,HBAR,ETC,ALGO,CRV,SAND,MANA,GRT,VET,XTZ,COMP,AXS".split(
		",",
	);

export interface User {
	name: string;
	caller(turn: number): Caller;
}

export interface Told {
	user: User;
	filters: string;
	request: Record<string, unknown>;
}

/** Users with the same strategies and no portfolio, so that equal filters have equal results. */
export async function makeUsers(
	urls: () => string[],
	admin: { email: string; password: string },
	count: number,
	note: (seen: Observation) => void,
): Promise<User[]> {
	const chief = new Caller(urls, note);
	if (!(await chief.login(admin.email, admin.password))) throw new Error("the first admin cannot log in");
	const users: User[] = [];
	for (let i = 0; i < count; i++) {
		const email = `user${i}@lookout.local`;
		const made = await chief.call("POST", "/admin/users", {
			email,
			password: PASSWORD,
			role: "trader",
			strategy_ids: STRATEGIES.split(",").map((name) => `ai_${name}`.replace(/momentum$/, "momentum_strategy")),
		});
		if (made?.http !== 201) throw new Error(`user not made: ${made?.text}`);
		const first = new Caller(urls, note);
		if (!(await first.login(email, PASSWORD))) throw new Error(`${email} cannot log in`);
		users.push({ name: email, caller: (turn) => first.as(turn) });
	}
	return users;
}

export interface Load {
	/** Every scan whose id was told. */
	readonly told: Map<string, Told>;
	/** No more starts; resolves when the users have stopped. */
	stop(): Promise<void>;
}

/**
 * @param symbolSets how many different filters there are: few meet each other often, many find cold caches.
 */
export function startLoad(users: readonly User[], perUser: number, seed: number, symbolSets: number): Load {
	const told: Load["told"] = new Map();
	let stopping = false;
	const isOver = () => stopping;
	const actors = users.flatMap((user, u) =>
		Array.from({ length: perUser }, (_, i) => {
			const draws = createDraws(hashKey(seed, "chaos load", u, i));
			return act({ user, caller: user.caller(u + i), draws, told, isOver, symbolSets });
		}),
	);
	return {
		told,
		async stop() {
			stopping = true;
			await Promise.all(actors);
		},
	};
}

interface Actor {
	user: User;
	caller: Caller;
	draws: ReturnType<typeof createDraws>;
	told: Load["told"];
	isOver: () => boolean;
	symbolSets: number;
}

async function act(actor: Actor): Promise<void> {
	const { user, caller, draws, told, isOver, symbolSets } = actor;
	const below = (count: number) => Math.floor(draws.uniform() * count);
	while (!isOver()) {
		const set = below(symbolSets);
		const symbols = [0, 7, 19].map((step) => BASES[(set + step) % BASES.length]).join(",");
		const request = { strategy_ids: STRATEGIES, symbols, force_refresh: draws.uniform() < 0.5 };
		const started = await caller.start(user.name, request);
		if (!started) {
			await pause(100 + below(300));
			continue;
		}
		told.set(started.scan_id, { user, filters: started.filters, request });
		await follow(actor, started.scan_id, draws.uniform() < 0.2 ? below(2_500) : null);
		const older = [...told].filter(([, scan]) => scan.user === user).map(([id]) => id);
		const other = older[below(older.length)];
		if (other) await caller.status(other);
		await pause(below(200));
	}
}

/** Polls as impatient clients do; now and then waits, reads results early, or leaves the scan to itself. */
async function follow({ caller, draws, isOver }: Actor, scanId: string, cancelAfterMs: number | null): Promise<void> {
	const beganAt = performance.now();
	while (!isOver()) {
		if (cancelAfterMs !== null && performance.now() - beganAt > cancelAfterMs) {
			if (await caller.cancel(scanId)) return void (await caller.status(scanId));
		}
		const body = await caller.status(scanId, draws.uniform() < 0.2 ? 1 : 0);
		if (body?.ended_at_ms) {
			await caller.results(scanId);
			return;
		}
		if (draws.uniform() < 0.1) await caller.results(scanId);
		if (draws.uniform() < 0.02) return;
		await pause(60 + Math.floor(draws.uniform() * 250));
	}
}
