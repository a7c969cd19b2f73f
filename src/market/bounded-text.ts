/** The text of an answer of at most `bytesMax`; rejects with `tooLarge` as soon as there is more. */
export async function boundedText(
	{ body }: Response,
	bytesMax: number,
	tooLarge: (bytes: number) => Error,
): Promise<string> {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of body ?? []) {
		bytes += chunk.byteLength;
		if (bytes > bytesMax) throw tooLarge(bytes);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}
