import type { Viewer } from "../store/contract.ts";

/** Roles and permissions; matched exactly, never by substring. */
export const ROLES = ["admin", "trader", "viewer", "api_only"] as const satisfies readonly Viewer["role"][];

export const PERMISSIONS: Record<Viewer["role"], readonly string[]> = {
	admin: [
		"admin:read",
		"admin:write",
		"admin:delete",
		"trading:read",
		"trading:write",
		"trading:execute",
		"portfolio:read",
		"portfolio:write",
		"users:read",
		"users:write",
		"users:delete",
		"system:read",
		"system:write",
	],
	trader: ["trading:read", "trading:write", "trading:execute", "portfolio:read", "portfolio:write"],
	viewer: ["trading:read", "portfolio:read"],
	api_only: ["api:trading:execute", "api:portfolio:read"],
};

/** Roles that may start scans, and so have them started and be told of them. */
export const SCAN_STARTERS = ["admin", "trader", "api_only"] as const satisfies readonly Viewer["role"][];
