import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const test = suite("a misbehaving link");

test("what is sent after a delay has ended does not overtake what was sent within it", async () => {
	const echo = createServer((socket) => void socket.pipe(socket));
	await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
	const proxy = await startTcpProxy({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port });
	const client = connect({ host: "127.0.0.1", port: proxy.port }).setNoDelay(true);
	let heard = "";
	client.setEncoding("utf8").on("data", (text: string) => {
		heard += text;
	});
	const until = async (length: number) => {
		const limit = AbortSignal.timeout(5_000);
		while (heard.length < length) await once(client, "data", { signal: limit });
	};
	try {
		client.write("0");
		await until(1);
		proxy.set({ kind: "delay", delayMs: 80 });
		await new Promise((resolve) => client.write("1", resolve));
		// All three sockets are of this process: a few turns of its loop bring the byte to the proxy.
		for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
		proxy.set({ kind: "pass" });
		client.write("2");
		await until(3);
		assert.is(heard, "012");
	} finally {
		client.destroy();
		await proxy.close();
		echo.close();
	}
});

test.run();
