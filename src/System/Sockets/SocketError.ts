/**
 * Why there is no connection.
 *
 * @internal
 */
import { Schema } from "effect"

export class SocketError extends Schema.TaggedError<SocketError>("holter/System/SocketError")(
  "SocketError",
  {
    phase: Schema.Literal("name look-up", "connection", "proxy", "TLS"),
    /** In the letters of Node and of the system, such as `ECONNREFUSED`. */
    code: Schema.String,
    /** What went wrong in words, where the code does not say it all. */
    problem: Schema.optional(Schema.String),
    /** The proxy, where it lies there: its host and port. */
    through: Schema.optional(Schema.String),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    return this.problem ?? `${this.phase}: ${this.code}`
  }
}
