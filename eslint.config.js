// The house rules of docs/design.md, section 5, as lint errors.
// test/architecture/houseRules.test.ts plants a breach of each and expects the report.
import { defineConfig } from "eslint/config"
import tseslint from "typescript-eslint"

/** A selector for `object.name`; both are regular expressions. */
const member = (object, name) =>
  `MemberExpression[object.name=/^(${object})$/][property.name=/^(${name})$/]`
const importOf = (module, name) =>
  `ImportDeclaration[source.value=/^(node:)?${module}$/] ImportSpecifier[imported.name=/^(${name})$/]`
const forbid = (rules) => [
  "error",
  ...Object.entries(rules).map(([selector, message]) => ({ selector, message }))
]

/** What Effect replaces. A breach at the platform's edge carries a disable comment with the reason. */
const sourceRules = forbid({
  TryStatement: "No try/catch: use Effect.try, Effect.tryPromise or Either.try.",
  ":matches(NewExpression, CallExpression)[callee.name='Date']": "No Date: use Clock or DateTime.",
  [member("Date", ".*")]: "No Date: use Clock or DateTime.",
  [member("Math", "random")]: "No Math.random: use Random.",
  "MemberExpression[object.name='console']": "No console: use Effect.log, or Console in the CLI.",
  [member("process", "env|exit")]: "No process.env (use Config), no process.exit (runMain exits).",
  [importOf("process", "env|exit")]:
    "No process.env (use Config), no process.exit (runMain exits).",
  [member("Effect|Runtime", "run(Promise|Sync|Fork|Callback).*")]: "Only runMain runs effects.",
  "CallExpression[callee.name=/^set(Timeout|Interval)$/]":
    "No timers: use Effect.sleep or Schedule.",
  [member("globalThis|global|timers", "set(Timeout|Interval)")]:
    "No timers: use Effect.sleep or Schedule.",
  "ImportDeclaration[source.value='node:timers/promises']":
    "No timers: use Effect.sleep or Schedule.",
  "ImportDeclaration[source.value=/^effect.[A-Z]/]":
    "Import from 'effect': the language service does not see Effect.gen through 'effect/Effect'."
})

/** Calls whose callback runs on the wall clock: a sleep inside is a test that waits. */
const onLiveClock = [
  "CallExpression[callee.property.name=/^(live|scopedLive|withLive|provideLive)$/]",
  "CallExpression[callee.type='CallExpression']:has(Property[key.name='excludeTestServices'])"
]
const sleepsForReal = onLiveClock
  .map((live) => `${live} ${member("Effect", "sleep|delay")}`)
  .join(", ")

const testRules = forbid({
  "MemberExpression[property.name=/^(skip|only|todo|skipIf|runIf)$/]:matches([object.name=/^(it|test|describe|suite)$/], [object.object.name=/^(it|test)$/])":
    "No skipped or lonely tests: a suite that needs a server uses describeWithServices.",
  "CallExpression[callee.name=/^set(Timeout|Interval)$/]":
    "No waiting: TestClock, or a rendezvous on a Deferred or SubscriptionRef.",
  "ImportDeclaration[source.value='node:timers/promises']":
    "No waiting: TestClock, or a rendezvous on a Deferred or SubscriptionRef.",
  [sleepsForReal]: "No waiting: TestClock, or a rendezvous on a Deferred or SubscriptionRef.",
  [member("Effect|Runtime", "run(Promise|Fork|Callback).*")]: "Use it.effect or it.scoped."
})

export default defineConfig(
  { ignores: ["dist/", "node_modules/", "coverage/", "**/*.cjs"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        // A default case may not hide a member that was forgotten.
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true }
      ],
      // `declare namespace Check { type Any = ... }` is how Effect's modules carry helper types.
      "@typescript-eslint/no-namespace": ["error", { allowDeclarations: true }],
      // Tags and schema classes are `interface X extends Y {}` beside a const of the same name.
      "@typescript-eslint/no-empty-object-type": [
        "error",
        { allowInterfaces: "with-single-extends" }
      ],
      // tsc reports unused names (noUnusedLocals), and lets `_name` pass.
      "@typescript-eslint/no-unused-vars": "off"
    }
  },
  {
    files: ["src/**/*.ts"],
    // The threads of Lifecycle run when the program does not, and without Effect.
    ignores: ["src/Main.ts", "src/Lifecycle/runMain.ts", "src/Lifecycle/*/entry.ts"],
    rules: {
      "no-restricted-syntax": sourceRules,
      "@typescript-eslint/no-non-null-assertion": "error"
    }
  },
  { files: ["test/**/*.ts"], rules: { "no-restricted-syntax": testRules } }
)
