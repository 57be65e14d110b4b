/**
 * What a program has of one kind, by name. The layer of a plugin registers it here and takes it out again
 * when its scope closes.
 */
import { type Context, Effect, Layer, Option, PubSub, type Scope, Stream } from "effect"

/** What is registered: a plugin with its configuration and its services. */
export interface Item {
  readonly name: string
  readonly type: string
}

export interface Registry<A extends Item, E> {
  /** Adds one for as long as the scope is open. */
  readonly register: (item: A) => Effect.Effect<void, E, Scope.Scope>
  /**
   * Takes the place of the one of that name, if there is one, for as long as the scope is open: at no
   * moment there is none.
   */
  readonly replace: (item: A) => Effect.Effect<void, never, Scope.Scope>
  /** All of them, in the order of their registration. */
  readonly all: Effect.Effect<ReadonlyArray<A>>
  /** All of them now, and again whenever one was added or taken out. */
  readonly changes: Stream.Stream<ReadonlyArray<A>>
  readonly find: (name: string) => Effect.Effect<Option.Option<A>>
}

/** `duplicate` says that two have one name. */
export const make = <A extends Item, E>(
  duplicate: (item: A, existing: A) => E
): Effect.Effect<Registry<A, E>> =>
  Effect.gen(function* () {
    const items = new Map<string, A>()
    // That something changed: who is late sees the last state, and one notice is enough for that.
    const notices = yield* PubSub.sliding<void>(1)
    const notice = PubSub.publish(notices, undefined)
    const all = Effect.sync(() => [...items.values()])

    const put = (item: A) =>
      Effect.zipRight(
        Effect.sync(() => items.set(item.name, item)),
        notice
      )
    const add = (item: A) =>
      Effect.suspend(() => {
        const existing = items.get(item.name)
        return existing === undefined ? put(item) : Effect.fail(duplicate(item, existing))
      })
    const remove = (item: A) =>
      Effect.suspend(() => {
        // Another one may have its name by now.
        if (items.get(item.name) !== item) return Effect.void
        items.delete(item.name)
        return notice
      })
    return {
      register: (item) => Effect.acquireRelease(add(item), () => remove(item)),
      replace: (item) => Effect.acquireRelease(put(item), () => remove(item)),
      all,
      changes: Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(notices), (subscription) =>
          Stream.mapEffect(Stream.concat(Stream.void, Stream.fromQueue(subscription)), () => all)
        )
      ),
      find: (name) => Effect.sync(() => Option.fromNullable(items.get(name)))
    }
  })

/** Registers one for as long as the layer lives, which gives the name that it registered. */
export const layer = <I, A extends Item, E, Self, E2, R>(
  registry: Context.Tag<I, Registry<A, E>>,
  registered: Context.Tag<Self, { readonly name: string }>,
  item: Effect.Effect<A, E2, R>
): Layer.Layer<Self, E | E2, I | Exclude<R, Scope.Scope>> =>
  Layer.scoped(
    registered,
    Effect.gen(function* () {
      const { register } = yield* registry
      const described = yield* item
      yield* register(described)
      return { name: described.name }
    })
  )
