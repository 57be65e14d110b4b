/**
 * The summary of `holter check`, as a message to the operator's Telegram chat.
 */
import { Effect, Redacted, Schema } from "effect"
import type { StatusSummary } from "../Monitor/StatusSummary.js"
import type { Configuration } from "./Configuration.js"
import * as Presentation from "./Presentation.js"

export class NotificationError extends Schema.TaggedError<NotificationError>(
  "holter/Cli/NotificationError"
)("NotificationError", {
  reason: Schema.Literal("NotConfigured", "NotSent"),
  problem: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return this.problem
  }
}

export interface News {
  readonly summary: StatusSummary
  /** The names of services that were checked last time and now are not. */
  readonly lost: ReadonlyArray<string>
  /** Of those that were not healthy last time, and are now. */
  readonly recovered: ReadonlyArray<string>
}

export const send = (
  configuration: Configuration,
  news: News
): Effect.Effect<void, NotificationError> =>
  Effect.gen(function* () {
    const token = yield* variable(configuration, "TELEGRAM_BOT_TOKEN")
    const chatId = yield* variable(configuration, "ADMIN_TELEGRAM_CHAT_ID")
    // Loaded only when there is something to send.
    const { escapeHtml, layerStandalone, TelegramApi } = yield* Effect.promise(
      () => import("../plugins/Telegram/TelegramApi.js")
    )
    const api = layerStandalone({
      token: Redacted.make(token),
      apiUrl: configuration.environment.get("TELEGRAM_API_URL")
    })
    yield* Effect.flatMap(TelegramApi, ({ sendMessage }) =>
      sendMessage({ chatId, html: html(configuration.name, news, escapeHtml) })
    ).pipe(
      Effect.provide(api),
      Effect.disconnect,
      Effect.timeoutFail({
        duration: "10 seconds",
        onTimeout: () =>
          new NotificationError({
            reason: "NotSent",
            problem: "Telegram did not answer within 10 seconds"
          })
      }),
      Effect.mapError((error) =>
        error._tag === "NotificationError"
          ? error
          : new NotificationError({
              reason: "NotSent",
              problem: configuration.secrets.scrub(error.message),
              cause: error
            })
      )
    )
  })

const variable = (configuration: Configuration, name: string) => {
  const value = configuration.environment.get(name)
  return value === undefined
    ? Effect.fail(new NotificationError({ reason: "NotConfigured", problem: `${name} is not set` }))
    : Effect.succeed(value)
}

/**
 * The verdict, a line for each service that is not healthy with what to do about it, one for each that came
 * back, and one for each that is lost.
 */
const html = (
  name: string,
  { lost, recovered, summary }: News,
  escape: (text: string) => string
): string =>
  [
    `<b>${escape(name)}</b>: ${escape(Presentation.verdict(summary))}`,
    ...[
      ...Presentation.troubled(summary).map((one) =>
        [Presentation.problem(one), ...Presentation.guidance(one)].join("\n   ")
      ),
      ...recovered.map(
        (service) =>
          `${Presentation.named(service, summary.services[service]?.label)} is healthy again`
      ),
      ...lost.map((service) => `${service} is no longer checked`)
    ].map((line) => `• ${escape(line)}`)
  ].join("\n")
