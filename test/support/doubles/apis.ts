/** Every API that a double can speak, by name, so that a child process can be told which. */
import * as DMarketApi from "./DMarketApi.js"
import { type Api, type HttpCore, listen, type ServerOptions } from "./HttpCore.js"
import * as Routes from "./Routes.js"
import * as TelegramApi from "./TelegramApi.js"

export type ApiOptions =
  | { readonly _tag: "Routes"; readonly options: Routes.RoutesOptions }
  | { readonly _tag: "Telegram"; readonly options: TelegramApi.TelegramOptions }
  | { readonly _tag: "DMarket"; readonly options: DMarketApi.DMarketOptions }

export interface DoubleOptions {
  readonly server: ServerOptions
  readonly api: ApiOptions
}

export const start = (options: DoubleOptions): Promise<HttpCore> =>
  listen(options.server, apiOf(options.api))

const apiOf = (api: ApiOptions): Api => {
  switch (api._tag) {
    case "Routes":
      return Routes.make(api.options)
    case "Telegram":
      return TelegramApi.make(api.options)
    case "DMarket":
      return DMarketApi.make(api.options)
  }
}
