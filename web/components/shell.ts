import { html, useEffect } from "../lib/html.ts";
import { place } from "../lib/router.ts";
import { isAdmin, person, signOut } from "../lib/session.ts";
import { nextTheme, theme } from "../lib/theme.ts";
import { Login } from "../pages/login.ts";
import { NotFound } from "../pages/not-found.ts";
import { PAGES, pageFor } from "../pages/table.ts";

/** The frame around every page: where one is, where one can go, who is signed in. */
export function Shell() {
	const who = person.value;
	const { parts } = place.value;
	const page = pageFor(parts);
	useEffect(() => {
		document.title = who && page ? `${page.title} – Lookout` : "Lookout";
	}, [page?.title, who]);
	// A new page is read from its top; the focus goes there too, so that a screen reader starts with it.
	useEffect(() => {
		document.getElementById("main")?.focus({ preventScroll: true });
		window.scrollTo(0, 0);
	}, [parts[0], parts[1], parts[2]]);
	if (!who) return html`<main id="main" class="narrow" tabindex="-1"><${Login} /></main>`;
	return html`
		<a class="skip" href="#main" onClick=${toMain}>Skip to content</a>
		<header class="top">
			<a class="brand" href="#/">Lookout</a>
			<nav aria-label="Pages">
				${PAGES.filter(({ menu, admin }) => menu && (!admin || isAdmin.value)).map(
					({ menu, path, parts: names }) =>
						html`<a href=${path} aria-current=${isHere(names, page?.parts ?? parts) ? "page" : undefined}>${menu}</a>`,
				)}
			</nav>
			<div class="who">
				<button type="button" class="quiet" onClick=${nextTheme} title="Colours: light, dark or as the system">
					${theme.value === "auto" ? "Auto" : theme.value === "dark" ? "Dark" : "Light"}
				</button>
				<span class="muted" title=${who.role}>${who.email}</span>
				<button type="button" class="quiet" onClick=${signOut}>Sign out</button>
			</div>
		</header>
		<main id="main" tabindex="-1">
			${page ? html`<${page.view} ...${page.props} key=${parts.slice(0, 2).join("/")} />` : html`<${NotFound} />`}
		</main>
	`;
}

/** Pages without a word in the menu stand under another's. */
const UNDER: Record<string, string> = { scans: "", compare: "inspect" };

function isHere(names: readonly string[], parts: readonly string[]): boolean {
	const first = parts[0] ?? "";
	return (names[0] ?? "") === (UNDER[first] ?? first);
}

function toMain(event: Event): void {
	event.preventDefault();
	document.getElementById("main")?.focus();
}
