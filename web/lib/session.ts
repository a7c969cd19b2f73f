import { computed, signal } from "./html.ts";

/** Who is signed in in this tab. Tokens live as long as the tab and are sent to this server only. */
export interface Person {
	user_id: string;
	email: string;
	role: "admin" | "trader" | "viewer" | "api_only";
	permissions: string[];
}

interface Tokens {
	access_token: string;
	refresh_token: string;
}

const KEY = "lookout.session";

interface Held {
	person: Person;
	tokens: Tokens;
}

function restore(): Held | null {
	try {
		const text = sessionStorage.getItem(KEY);
		return text ? (JSON.parse(text) as Held) : null;
	} catch {
		return null;
	}
}

const held = signal<Held | null>(restore());

export const person = computed(() => held.value?.person ?? null);
export const isAdmin = computed(() => held.value?.person.role === "admin");
export const mayScan = computed(() => held.value !== null && held.value.person.role !== "viewer");
export const accessToken = (): string | null => held.value?.tokens.access_token ?? null;

function hold(next: Held | null): void {
	held.value = next;
	try {
		if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
		else sessionStorage.removeItem(KEY);
	} catch {
		// A tab without storage forgets its login when it is reloaded.
	}
}

/** Why the last login ended, shown at the login form. */
export const farewell = signal<string | null>(null);

export async function signIn(email: string, password: string): Promise<void> {
	const response = await fetch("/api/v1/auth/login", {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ email, password }),
	});
	const body = await response.json();
	if (!response.ok) throw new Error(String(body.detail ?? "The server refused the login"));
	const { access_token, refresh_token, user_id, role, permissions } = body;
	farewell.value = null;
	hold({ person: { user_id, email, role, permissions }, tokens: { access_token, refresh_token } });
}

export async function signOut(): Promise<void> {
	const token = accessToken();
	hold(null);
	if (token) {
		await fetch("/api/v1/auth/logout", { method: "POST", headers: { authorization: `Bearer ${token}` } }).catch(
			() => undefined,
		);
	}
}

let renewing: Promise<boolean> | null = null;

/** Exchanges the refresh token, once for all calls that wait. False: the login has ended. */
export function renew(): Promise<boolean> {
	renewing ??= exchange().finally(() => {
		renewing = null;
	});
	return renewing;
}

async function exchange(): Promise<boolean> {
	const before = held.value;
	if (!before) return false;
	const response = await fetch("/api/v1/auth/refresh", {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify({ refresh_token: before.tokens.refresh_token }),
	}).catch(() => null);
	// Without an answer nothing is known about the login: it stays.
	if (!response || response.status >= 500) return false;
	if (!response.ok) {
		farewell.value = "Your login has ended. Please sign in again.";
		hold(null);
		return false;
	}
	const { access_token, refresh_token } = await response.json();
	hold({ ...before, tokens: { access_token, refresh_token } });
	return true;
}
