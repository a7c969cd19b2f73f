/** The lock of a build: one file with the number of the process that holds it, for processes that start at once. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

const WAIT_MS = 120_000;
const POLL_MS = 100;

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === "EPERM";
	}
}

/** The number that stands in the file; null when the file is gone, or when nothing stands in it yet. */
function holderOf(path) {
	try {
		return Number(readFileSync(path, "utf8")) || null;
	} catch (error) {
		if (error.code === "ENOENT") return null;
		throw error;
	}
}

/**
 * Takes the lock away from a process that has died. Another one may have done so a moment ago and hold it now: its
 * lock is then put back. Moving it decides who takes it away, since only one move of a file succeeds.
 */
function takeFromDead(path, holder) {
	const moved = `${path}.${process.pid}`;
	try {
		renameSync(path, moved);
	} catch (error) {
		if (error.code === "ENOENT") return;
		throw error;
	}
	if (holderOf(moved) === holder) rmSync(moved, { force: true });
	else renameSync(moved, path);
}

/**
 * Waits until this process holds the lock.
 * @param {string} path of the file, in a folder that exists
 * @returns {() => void} what gives the lock back
 * @throws when a living process holds it for more than two minutes
 */
export function lock(path, { wait_ms = WAIT_MS, poll_ms = POLL_MS } = {}) {
	for (let waitedMs = 0; ; waitedMs += poll_ms) {
		try {
			writeFileSync(path, String(process.pid), { flag: "wx" });
			return () => rmSync(path, { force: true });
		} catch (error) {
			if (error.code !== "EEXIST") throw error;
		}
		const holder = holderOf(path);
		if (holder !== null && !isAlive(holder)) takeFromDead(path, holder);
		else if (waitedMs > wait_ms) throw new Error(`another build (process ${holder}) does not end; delete ${path}`);
		else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, poll_ms);
	}
}
