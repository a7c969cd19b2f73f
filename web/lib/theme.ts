import { computed, effect, signal } from "./html.ts";

type Theme = "auto" | "light" | "dark";
const KEY = "lookout.theme";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];

const stored = (): Theme => {
	try {
		const held = localStorage.getItem(KEY);
		return held === "light" || held === "dark" ? held : "auto";
	} catch {
		return "auto";
	}
};

/** The person's choice; `auto` follows the system. */
export const theme = signal<Theme>(stored());

effect(() => {
	document.documentElement.dataset.theme = theme.value;
	try {
		localStorage.setItem(KEY, theme.value);
	} catch {
		// Without storage the choice lasts as long as the page.
	}
});

const system = window.matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
	systemIsDark.value = matches;
});

/** What is shown in fact, for drawings that do not follow the style sheet by themselves. */
export const isDark = computed(() => (theme.value === "auto" ? systemIsDark.value : theme.value === "dark"));

export function nextTheme(): void {
	theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "auto";
}
