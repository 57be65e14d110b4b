/**
 * What the check and the channel are configured with alike.
 *
 * @internal
 */
import { ParseResult, Schema } from "effect"
import { secretOf } from "../shared/SecretField.js"

/** A bot's token, as @BotFather hands it out. */
export const token = secretOf({
  identifier: "TelegramToken",
  description: "a bot token from @BotFather, such as 123456789:AAH...",
  is: (text) => /^\d+:[\w-]+$/.test(text)
})

const description = "a chat id such as 424242 or -1001234567890, or a channel's @name"

const ChatId = Schema.String.pipe(
  Schema.filter((text) => /^(-?\d+|@\w+)$/.test(text), { identifier: "ChatId", description })
)

/** A number in a file is meant as the text that it is. */
export const chatId: Schema.Schema<string, string | number> = Schema.transformOrFail(
  Schema.Union(Schema.String, Schema.Int).annotations({
    jsonSchema: { description, anyOf: [{ type: "string" }, { type: "integer" }] }
  }),
  ChatId,
  {
    strict: true,
    decode: (id) => ParseResult.succeed(String(id)),
    encode: (id) => ParseResult.succeed(id)
  }
).annotations({ identifier: "ChatId", description })
