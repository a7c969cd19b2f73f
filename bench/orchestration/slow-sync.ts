import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A disk that takes its time, for servers that ask for syncs through the C library: each fdatasync and fsync waits first. */
const SOURCE = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static int later(const char *name, int fd) {
	const char *told = getenv("SYNC_DELAY_US");
	const long us = told ? atol(told) : 0;
	struct timespec wait = {us / 1000000, (us % 1000000) * 1000};
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	while (nanosleep(&wait, &wait) != 0)
		;
	return real(fd);
}
int fdatasync(int fd) { return later("fdatasync", fd); }
int fsync(int fd) { return later("fsync", fd); }
`;

const LIBRARY = "slow-sync.so";
const COMPILE_LIMIT_MS = 30_000;

/** What a server needs in its environment; null: there is no C compiler. Files go to `directory`. */
export async function slowSyncs(directory: string, delayMs: number): Promise<Record<string, string> | null> {
	const [source, library] = [join(directory, "slow-sync.c"), join(directory, LIBRARY)];
	await writeFile(source, SOURCE);
	try {
		const args = ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"];
		execFileSync("cc", args, { stdio: "ignore", timeout: COMPILE_LIMIT_MS });
	} catch {
		return null;
	}
	return { LD_PRELOAD: library, SYNC_DELAY_US: String(1_000 * delayMs) };
}

/** Has a process loaded it? The loader only warns about what it cannot load. */
export async function isSlowed(pid: number): Promise<boolean> {
	return (await readFile(`/proc/${pid}/maps`, "utf8").catch(() => "")).includes(LIBRARY);
}
