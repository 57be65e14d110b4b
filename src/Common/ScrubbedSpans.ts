/**
 * Spans without secrets.
 *
 * @internal
 */
import { Context, DefaultServices, Exit, identity, Option, Tracer } from "effect"
import type { Secrets } from "./Secrets.js"
import { cleanCause, cleanRecord, cleanValue } from "./ScrubbedValue.js"

/** A tracer that is told nothing of the secrets, in the place of another. */
export const scrubbedTracer = (secrets: Secrets): ((tracer: Tracer.Tracer) => Tracer.Tracer) => {
  if (secrets.values.size === 0) return identity
  let known: Tracer.Tracer | undefined
  let wrapped: Tracer.Tracer | undefined
  return (tracer) => {
    // What the default one is told goes nowhere.
    if (tracer === silent || tracer === wrapped) return tracer
    if (tracer !== known || wrapped === undefined) {
      known = tracer
      wrapped = scrubbed(tracer, secrets)
    }
    return wrapped
  }
}

/** The same for the span that services were built in, which code that uses them may annotate. */
export const withScrubbedSpan = <R>(
  services: Context.Context<R>,
  secrets: Secrets
): Context.Context<R> =>
  Option.match(Context.getOption(services, Tracer.ParentSpan), {
    onNone: () => services,
    onSome: (span) =>
      secrets.values.size > 0 && span._tag === "Span"
        ? Context.add(services, Tracer.ParentSpan, scrubbedSpan(span, secrets))
        : services
  })

const silent = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const scrubbed = (tracer: Tracer.Tracer, secrets: Secrets): Tracer.Tracer =>
  Tracer.make({
    context: (f, fiber) => tracer.context(f, fiber),
    span: (name, parent, context, links, startTime, kind, options) =>
      scrubbedSpan(
        tracer.span(
          secrets.scrub(name),
          parent,
          context,
          cleanLinks(links, secrets),
          startTime,
          kind,
          options?.attributes === undefined
            ? options
            : { ...options, attributes: cleanRecord(options.attributes, secrets) }
        ),
        secrets
      )
  })

/** Made from the span, so that its tracer knows it again, with all that it has of its own. */
const scrubbedSpan = (span: Tracer.Span, secrets: Secrets): Tracer.Span => {
  const methods: Pick<Tracer.Span, "attribute" | "event" | "addLinks" | "end"> = {
    attribute: (key, value) => span.attribute(secrets.scrub(key), cleanValue(value, secrets)),
    event: (name, startTime, attributes) =>
      span.event(secrets.scrub(name), startTime, cleanRecord(attributes ?? {}, secrets)),
    addLinks: (links) => span.addLinks(cleanLinks(links, secrets)),
    end: (endTime, exit) =>
      span.end(
        endTime,
        Exit.mapErrorCause(exit, (cause) => cleanCause(cause, secrets))
      )
  }
  return Object.assign(Object.create(span) as Tracer.Span, methods)
}

const cleanLinks = (
  links: ReadonlyArray<Tracer.SpanLink>,
  secrets: Secrets
): ReadonlyArray<Tracer.SpanLink> =>
  links.map((link) => ({ ...link, attributes: cleanRecord(link.attributes, secrets) }))
