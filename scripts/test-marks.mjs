/**
 * Begins the two lines around the output of one test file: `<MARK>begin <file>` and
 * `<MARK>end <json of {code, took_ms}>`. No test prints this character at the start of a line.
 */
export const MARK = "\u0001";
