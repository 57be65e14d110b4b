/**
 * `entry.ts` as text: the library carries its programs inside, so that they are there wherever a bundler
 * puts it. `scripts/programs.mjs` writes it, in the build and where tests load a source.
 */

/** @internal */
export const text: string = `throw new Error("Build Holter first: npm run build")`
