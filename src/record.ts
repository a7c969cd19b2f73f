import { systemClock } from "./clock.ts";
import { ExchangeLoadError } from "./market/ccxt/load.ts";
import { RecordError } from "./record/client.ts";
import { RECORD_USAGE, RecordUsageError, recordOptions } from "./record/options.ts";
import { record } from "./record/run.ts";

/** The recording command's entry: exit code 0 whole, 1 not whole (the same command goes on), 2 wrong words. */
const abort = new AbortController();
const stopped = new Error("stopped; the same command goes on from here");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort(stopped));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string, code: number): void => {
	process.stderr.write(`${text}\n`);
	process.exitCode = code;
};

try {
	const options = recordOptions(process.argv.slice(2));
	const { manifest, failures } = await record(options, { clock: systemClock, signal: abort.signal, say });
	if (manifest !== null) {
		const missing = manifest.files.reduce((sum, file) => sum + file.missing, 0);
		const gaps = missing === 0 ? "no gaps" : `${missing} steps missing (see MANIFEST.json)`;
		say(`${options.out}: ${manifest.files.length} files as of ${manifest.as_of}, ${gaps}`);
	} else
		complain(`${failures.length} files are missing; the same command tries them again:\n${failures.join("\n")}`, 1);
} catch (error) {
	if (error instanceof RecordUsageError) complain(`${error.message}\n${RECORD_USAGE}`, 2);
	else if (
		error instanceof RecordError ||
		error instanceof ExchangeLoadError ||
		error === stopped ||
		isOfSystem(error)
	) {
		complain((error as Error).message, 1);
	} else throw error;
}

/** A full disk, a folder that may not be written. */
function isOfSystem(error: unknown): boolean {
	return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
}
