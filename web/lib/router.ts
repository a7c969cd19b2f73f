import { computed, signal } from "./html.ts";

/**
 * Deep links stand behind `#`, so the server never sees them: `#/scans/scan_ab.../journal?seq=12`.
 */
const location = signal(window.location.hash);
window.addEventListener("hashchange", () => {
	location.value = window.location.hash;
});

export interface Place {
	/** Parts of the path, decoded. */
	parts: string[];
	query: URLSearchParams;
}

const decode = (part: string): string => {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
};

export const place = computed<Place>(() => {
	const [path = "", query = ""] = location.value.replace(/^#\/?/, "").split("?");
	return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
});

export function linkTo(...parts: string[]): string {
	return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function go(link: string): void {
	window.location.hash = link;
}

/** Changes the query of the present place without a new entry in the browser's history. */
export function replaceQuery(changes: Record<string, string | null>): void {
	const { parts, query } = place.value;
	const next = new URLSearchParams(query);
	for (const [name, value] of Object.entries(changes)) {
		if (value === null) next.delete(name);
		else next.set(name, value);
	}
	const text = next.toString();
	const hash = `${linkTo(...parts)}${text ? `?${text}` : ""}`;
	window.history.replaceState(null, "", hash);
	location.value = hash;
}
