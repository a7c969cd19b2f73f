/** Opaque tags of a comma-separated If-None-Match or If-Match header; weak marks dropped. */
function tagsOf(header: string): string[] {
	return header.match(/"[^"]*"/g) ?? [];
}

/**
 * Does an If-None-Match header name this tag? Weak comparison (RFC 9110 13.1.2); `*` names every tag.
 * `etag` is a complete tag, `W/` included where it has one.
 */
export function tagMatches(header: string | undefined, etag: string): boolean {
	if (!header) return false;
	if (header.trim() === "*") return true;
	const opaque = etag.replace(/^W\//, "");
	return tagsOf(header).includes(opaque);
}

/** Does an If-Match header name this strong tag? Weak tags never match (RFC 9110 13.1.1). */
export function tagMatchesStrongly(header: string, etag: string): boolean {
	if (header.trim() === "*") return true;
	const strong: string[] = header.match(/(W\/)?"[^"]*"/g) ?? [];
	return strong.includes(etag);
}
