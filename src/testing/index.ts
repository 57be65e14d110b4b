/** The test kit for who writes a plugin or embeds Holter. It needs no test runner. */
export * as ChannelContract from "./ChannelContract.js"
export * as FaultyChannel from "./FaultyChannel.js"
export * as HealthTest from "./HealthTest.js"
export * as PluginContract from "./PluginContract.js"
export * as RecordingChannel from "./RecordingChannel.js"
export * as ScriptedCheck from "./ScriptedCheck.js"
export * as StrategyContract from "./StrategyContract.js"
