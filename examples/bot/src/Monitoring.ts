/** Checks the bot's own database every ten seconds, over the bot's own connection. */
import { Effect, Fiber, Layer, Schedule } from "effect"
import { CheckRegistry, CheckRunner, HealthMonitor, Lifecycle } from "holter"
import { Database } from "holter/plugins/Database"

const Health = HealthMonitor.layer.pipe(
  Layer.provide(Database.layerSqlClient({})),
  Layer.provide([CheckRunner.layer(), CheckRegistry.layer])
)

export const Monitoring = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { on } = yield* Lifecycle.Lifecycle
    const monitor = yield* HealthMonitor.HealthMonitor
    const beats = yield* monitor.runAllChecks.pipe(
      Effect.repeat(Schedule.fixed("10 seconds")),
      Effect.forkScoped
    )
    yield* on("monitoring", "health checks", Fiber.interrupt(beats))
  })
).pipe(Layer.provide(Health))
