/**
 * The field of the proxy of a check or a channel over HTTP. It may hold a password, so it is not shown.
 *
 * @internal
 */
import { Either, Schema } from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"
import * as Proxy from "../../System/Sockets/Proxy.js"
import { none } from "./HttpExchange/Proxies.js"
import { secretOf } from "./SecretField.js"

const description = `${Proxy.expected}, or "${none}"; without it HTTP_PROXY, HTTPS_PROXY and NO_PROXY tell`

export const proxy = Schema.optional(
  secretOf({
    identifier: "ProxyUrl",
    description,
    is: (text) => text === none || (/^https?:\/\//i.test(text) && Either.isRight(Proxy.parse(text)))
  }).annotations({ identifier: "ProxyUrl", description, [ConfigField.SecretId]: "url" })
)
