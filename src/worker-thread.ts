/** Starts a module of ours in a worker thread, from source and from the build alike. */
import { extname } from "node:path";
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * `name` without its ending, relative to the importing module: `startWorker("./memory-worker", import.meta.url)`.
 * The build has .js files, which a thread loads as they are. From source a thread knows nothing of the
 * TypeScript loader of the main thread, so it registers the loader first.
 */
export function startWorker(name: string, importer: string, options: WorkerOptions = {}): Worker {
	const ending = extname(new URL(importer).pathname);
	const file = new URL(`${name}${ending}`, importer);
	if (ending !== ".ts") return new Worker(file, options);
	const loader = import.meta.resolve("tsx/esm/api");
	const bootstrap = `import(${JSON.stringify(loader)}).then(({ register }) => {
		register();
		return import(${JSON.stringify(file.href)});
	})`;
	return new Worker(bootstrap, { ...options, eval: true });
}
