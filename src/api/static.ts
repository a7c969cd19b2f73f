import type { Middleware } from "koa";
import sendFile from "koa-send";
import { stateOf } from "./state.ts";

/** Assets carry a digest of their content in their names, so they never change. */
const ASSET_SECONDS = 31_536_000;

/** The dashboard's files: `/` and `/assets/*`. They hold no data, so they are public and not counted. */
export function staticFiles(dir: string | null): Middleware {
	return async (ctx, next) => {
		const asset = ctx.path.startsWith("/assets/");
		if (dir === null || (ctx.method !== "GET" && ctx.method !== "HEAD") || (!asset && ctx.path !== "/")) return next();
		stateOf(ctx).route = asset ? "/assets/*" : "/";
		ctx.set("Cache-Control", asset ? `public, max-age=${ASSET_SECONDS}, immutable` : "no-cache");
		try {
			await sendFile(ctx, asset ? ctx.path : "/index.html", { root: dir, hidden: false });
		} catch (error) {
			const status = (error as { status?: number }).status;
			if (status === undefined || status >= 500) throw error;
			return next();
		}
	};
}
