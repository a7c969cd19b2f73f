import { Bar } from "../components/progress.ts";
import { ScanForm } from "../components/scan-form.ts";
import { Around, Empty, Problem } from "../components/states.ts";
import { ApiProblem, get, type Json, post } from "../lib/api.ts";
import { forgetStrategies, type StrategyInfo, strategies } from "../lib/catalogue.ts";
import { time } from "../lib/format.ts";
import { html, useState } from "../lib/html.ts";
import { useInterval, useLoad } from "../lib/load.ts";
import { linkTo, place } from "../lib/router.ts";
import { mayScan } from "../lib/session.ts";
import { filterWords, stateWords } from "../lib/words.ts";

const REFRESH_MS = 3_000;

/** Where a trader begins: start a scan, or go to the one that runs. */
export function Home() {
	const list = useLoad("strategies", strategies);
	const seen = useLoad("home", read);
	useInterval(REFRESH_MS, () => seen.value?.scan?.status === "scanning" && seen.reload());
	const onboarded = () => {
		forgetStrategies();
		list.reload();
		seen.reload();
	};
	return html`
		<h1>Scan the market</h1>
		<div class="stack wide-gap">
			<${Around} of=${seen} what="your newest scan"
				show=${({ user, scan }: Seen) => html`
					${user.onboarding_status.needs_onboarding && mayScan.value && html`<${Welcome} done=${onboarded} />`}
					${scan && html`<${Latest} scan=${scan} names=${list.value ?? []} />`}
				`} />
			<${Around} of=${list} what="the strategies" show=${(known: StrategyInfo[]) => html`<${Start} strategies=${known} />`} />
		</div>
	`;
}

interface Seen {
	user: Json;
	/** The newest scan that is still kept; null: there is none. */
	scan: Json | null;
}

async function read(signal: AbortSignal): Promise<Seen> {
	const { body: user } = await get("/opportunities/user-status", { signal });
	const last = user.last_scan_info;
	if (!last) return { user, scan: null };
	try {
		return { user, scan: (await get(`/opportunities/status/${last.scan_id}`, { signal })).body };
	} catch (error) {
		// It was let go between the two questions.
		if (error instanceof ApiProblem && (error.status === 404 || error.status === 410)) return { user, scan: null };
		throw error;
	}
}

function Start({ strategies: list }: { strategies: StrategyInfo[] }) {
	if (!mayScan.value) {
		return html`<${Empty}>Your account may look at scans but not start any. Ask an administrator for the role “trader”.<//>`;
	}
	if (!list.some(({ owned }) => owned)) {
		return html`<${Empty}>You own no strategy yet, so a scan would have nothing to run.<//>`;
	}
	return html`<${ScanForm} strategies=${list} initial=${givenFilters()} />`;
}

/** Filters handed over by another page; anything that is no object is no filter. */
function givenFilters(): Json {
	try {
		const given: unknown = JSON.parse(place.value.query.get("filters") ?? "{}");
		return typeof given === "object" && given !== null && !Array.isArray(given) ? (given as Json) : {};
	} catch {
		return {};
	}
}

function Latest({ scan, names }: { scan: Json; names: StrategyInfo[] }) {
	const running = scan.status === "scanning";
	const filters = filterWords(scan.filters, (id) => names.find((entry) => entry.id === id)?.name ?? id);
	const { tone } = stateWords(scan.state);
	return html`<section class="card stack" aria-labelledby="latest-title">
		<div class="row spread">
			<h2 id="latest-title" class="flat">${running ? "Your scan is running" : "Your newest scan"}</h2>
			<a class="button" href=${linkTo("scans", scan.scan_id)}>${running ? "Watch it" : "See the results"}</a>
		</div>
		${running && html`<${Bar} percentage=${scan.progress.percentage} label="Progress of your newest scan" />`}
		<p class=${`flat ${tone}`}>${scan.message}</p>
		<p class="muted flat">Started ${time(scan.accepted_at)}${filters.length > 0 ? ` · ${filters.join(" · ")}` : ""}</p>
	</section>`;
}

/** First steps of a new account: one press gives the free strategies. */
function Welcome({ done }: { done: () => void }) {
	const [state, setState] = useState<{ busy: boolean; error: Error | null }>({ busy: false, error: null });
	const onboard = async () => {
		setState({ busy: true, error: null });
		try {
			await post("/opportunities/onboard");
			done();
		} catch (error) {
			setState({ busy: false, error: error as Error });
		}
	};
	return html`<section class="card stack lit" aria-labelledby="welcome-title">
		<h2 id="welcome-title" class="flat">Welcome</h2>
		<p>
			Your account is not set up yet. Setting it up gives you your welcome credits and makes sure that you have the three
			free strategies: trend following, a risk check and a portfolio check. It costs nothing, and neither do scans.
		</p>
		${state.error && html`<${Problem} error=${state.error} />`}
		<div><button type="button" class="primary" disabled=${state.busy} onClick=${onboard}>Set up my account</button></div>
	</section>`;
}
