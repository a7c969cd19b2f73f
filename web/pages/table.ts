import type { VNode } from "../lib/html.ts";
import { Account } from "./account.ts";
import { History } from "./history.ts";
import { Home } from "./home.ts";
import { DEVELOPER_PAGES } from "./inspect/pages.ts";
import { OpportunityPage } from "./opportunity.ts";
import { Portfolio } from "./portfolio.ts";
import { Scan } from "./scan.ts";

interface PageSpec {
	/** Word in the menu; absent: the page is reached by links. */
	menu?: string;
	title: string;
	path: string;
	/** Parts of the path; `:name` stands for any word and becomes a prop. */
	parts: readonly string[];
	admin?: boolean;
	// biome-ignore lint/suspicious/noExplicitAny: each page names its own props
	view: (props: any) => VNode | VNode[] | null;
}

/** Every page, in the order of the menu. */
export const PAGES: readonly PageSpec[] = [
	{ menu: "Scan", title: "Scan", path: "#/", parts: [], view: Home },
	{ title: "Scan", path: "#/scans", parts: ["scans", ":id"], view: Scan },
	{ title: "Opportunity", path: "#/scans", parts: ["scans", ":id", "rows", ":row"], view: OpportunityPage },
	{ menu: "History", title: "History", path: "#/history", parts: ["history"], view: History },
	{ menu: "Portfolio", title: "Portfolio", path: "#/portfolio", parts: ["portfolio"], view: Portfolio },
	{ menu: "Account", title: "Account", path: "#/account", parts: ["account"], view: Account },
	...DEVELOPER_PAGES,
];

export interface FoundPage extends PageSpec {
	props: Record<string, string>;
}

export function pageFor(parts: readonly string[]): FoundPage | null {
	for (const page of PAGES) {
		if (page.parts.length !== parts.length) continue;
		const props: Record<string, string> = {};
		const fits = page.parts.every((name, i) => {
			const part = parts[i] ?? "";
			if (!name.startsWith(":")) return name === part;
			props[name.slice(1)] = part;
			return true;
		});
		if (fits) return { ...page, props };
	}
	return null;
}
