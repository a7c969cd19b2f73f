type ErrorClass = new (message: string) => Error;

/** ccxt's own classes, from the file that its exchanges take them from: without loading the exchanges. */
const classes = (await import(new URL("./src/base/errors.js", import.meta.resolve("ccxt")).href)) as Record<
	string,
	ErrorClass
>;

/** An error as ccxt throws it, e.g. `InvalidNonce`. */
export function ccxtError(name: string, message: string): Error {
	const Class = classes[name];
	if (!Class) throw new Error(`ccxt has no ${name}`);
	return new Class(message);
}
