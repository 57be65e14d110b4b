/**
 * Every plugin keeps the contract that a plugin of somebody else must keep. One line each.
 */
import { describe, it } from "@effect/vitest"
import { BackupFreshness } from "../../src/plugins/BackupFreshness.js"
import { Database } from "../../src/plugins/Database.js"
import { Disk } from "../../src/plugins/Disk.js"
import { DMarket } from "../../src/plugins/DMarket.js"
import { Dns } from "../../src/plugins/Dns.js"
import { EventLoop } from "../../src/plugins/EventLoop.js"
import { Http } from "../../src/plugins/Http.js"
import { Memory } from "../../src/plugins/Memory.js"
import { Redis } from "../../src/plugins/Redis.js"
import { Tcp } from "../../src/plugins/Tcp.js"
import { Telegram } from "../../src/plugins/Telegram.js"
import { TlsCertificate } from "../../src/plugins/TlsCertificate.js"
import * as PluginContract from "../../src/testing/PluginContract.js"

/** Nobody listens on port 1; nobody answers at 192.0.2.1 (documentation only, RFC 5737). */
const nobody = { host: "127.0.0.1", port: 1 }
const nowhere = { host: "192.0.2.1", port: 1 }

type Row = readonly [check: PluginContract.Subject, samples: PluginContract.Samples]

const canary = "s3cr3t-canary"
const key = "5ec4e7".repeat(32).slice(0, 64)
const botToken = "123456789:AAH-s3cr3t-canary"

const plugins: ReadonlyArray<Row> = [
  [
    Database,
    {
      valid: [
        { url: `postgresql://bot:${canary}@127.0.0.1:1/bot` },
        { url: "sqlite:////none/none.db" }
      ],
      invalid: [{ url: `mongodb://bot:${canary}@host` }, { url: `${canary}\n` }],
      secrets: [canary]
    }
  ],
  [
    Redis,
    {
      valid: [
        { url: `redis://:${canary}@127.0.0.1:1/0` },
        { url: `redis://:${canary}@127.0.0.1:1/0`, fallback: "memory" }
      ],
      invalid: [{ url: `http://:${canary}@host` }, { url: `${canary}\n` }],
      secrets: [canary]
    }
  ],
  [
    DMarket,
    {
      valid: [
        { apiUrl: "http://127.0.0.1:1" },
        { apiUrl: "http://127.0.0.1:1", publicKey: canary, secretKey: key }
      ],
      invalid: [{ secretKey: `${canary}\n` }, { apiUrl: 5 }],
      secrets: [canary, key]
    }
  ],
  [
    Telegram,
    {
      valid: [{ token: botToken, apiUrl: "http://127.0.0.1:1" }],
      invalid: [{}, { token: `${botToken}\n` }, { token: canary }],
      secrets: [canary, botToken]
    }
  ],
  [
    Http,
    {
      valid: [
        { url: `http://bot:${canary}@127.0.0.1:1/up` },
        { url: "http://127.0.0.1:1", headers: { "x-key": canary } }
      ],
      invalid: [{}, { url: canary }, { url: "http://a", headers: { "x-key": `${canary}\n` } }],
      secrets: [canary]
    }
  ],
  [
    Tcp,
    {
      valid: [nobody, { ...nowhere, expect: "220", slow: "1 second" }],
      invalid: [{}, { ...nobody, port: "x" }, { ...nobody, slow: 5 }]
    }
  ],
  [
    Dns,
    {
      valid: [
        { name: "a.invalid", servers: ["127.0.0.1:1"] },
        { name: "a.invalid", recordType: "MX", servers: ["192.0.2.1"], expect: ["b"] }
      ],
      invalid: [{}, { name: "a", servers: ["b"] }, { name: "a", recordType: "X" }]
    }
  ],
  [
    TlsCertificate,
    {
      valid: [nobody, { ...nowhere, ca: "/none.pem" }, nowhere],
      invalid: [{}, { host: "a b" }, { ...nobody, warnDays: -1 }]
    }
  ],
  [
    Disk,
    {
      valid: [{}, { path: "/none" }, { warnPercent: 5, minFreeBytes: 1, writable: true }],
      invalid: [{ warnPercent: 101 }, { minFreeBytes: -1 }, { path: "" }]
    }
  ],
  [
    Memory,
    { valid: [{}, { warnPercent: 50, criticalPercent: 60 }], invalid: [{ warnPercent: "much" }] }
  ],
  [
    EventLoop,
    {
      valid: [{}, { maxDelay: "50 millis", criticalDelay: "2 seconds" }],
      invalid: [{ maxDelay: 50 }]
    }
  ],
  [
    BackupFreshness,
    {
      valid: [{ directory: "/none" }, { app: "bot", warnAge: "1 hour", drillAge: "8 days" }],
      invalid: [
        { directory: "" },
        { warnAge: 26 },
        { shrinkPercent: 101 },
        { warnAge: "3 days", criticalAge: "1 day" }
      ]
    }
  ]
]

for (const [check, samples] of plugins) {
  describe(`the contract, kept by ${check.type}`, () => {
    for (const law of PluginContract.laws(check, samples)) {
      it.effect(law.name, () => law.effect)
    }
  })
}
