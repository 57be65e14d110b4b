/** `entry.ts` as text, which `scripts/programs.mjs` writes: a bundler has no other file for it. */

/** @internal */
export const text: string = `throw new Error("Build Holter first: npm run build")`
