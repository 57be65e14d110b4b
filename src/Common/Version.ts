/**
 * The version of this package, in the code and not in a file beside it: bundlers carry it along. A test
 * holds it equal to package.json's.
 *
 * @internal
 */
export const version = "0.1.0"
