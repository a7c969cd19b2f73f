import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { RootRoute } from "./deps.ts";
import type { ApiReply } from "./route.ts";

/** The reference page: swagger-ui from this server, with an initializer of our own and no request elsewhere. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lookout API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/initializer.js"></script>
</body>
</html>
`;

const INITIALIZER = `window.ui = SwaggerUIBundle({
	url: "/openapi.json",
	dom_id: "#swagger-ui",
	deepLinking: true,
	validatorUrl: null,
	presets: [SwaggerUIBundle.presets.apis],
});
`;

const FILES: Record<string, string> = {
	"swagger-ui.css": "text/css; charset=utf-8",
	// Without the charset browsers read the bundle as another encoding and stop at its first odd character.
	"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	"favicon-32x32.png": "image/png",
};

const CACHED = "public, max-age=3600";

export function docsRoutes(): RootRoute[] {
	const dir = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
	const fixed = (body: string, content_type: string): (() => Promise<ApiReply>) => {
		return async () => ({ status: 200, body, content_type, cache_control: "no-cache" });
	};
	const files = Object.entries(FILES).map(([name, content_type]): RootRoute => {
		let content: Promise<Buffer> | null = null;
		return {
			path: `/docs/${name}`,
			rate: "none",
			async handler() {
				content ??= readFile(path.join(dir, name));
				return { status: 200, body: await content, content_type, cache_control: CACHED };
			},
		};
	});
	return [
		{ path: "/docs", rate: "none", handler: fixed(PAGE, "text/html; charset=utf-8") },
		{ path: "/docs/initializer.js", rate: "none", handler: fixed(INITIALIZER, "text/javascript; charset=utf-8") },
		...files,
	];
}
