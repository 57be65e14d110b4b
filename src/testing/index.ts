/**
 * The test kit for who writes a plugin or embeds Holter. It needs no test runner.
 *
 * @since 0.1.0
 */
export * as ChannelContract from "./ChannelContract.js"
export * as FaultyChannel from "./FaultyChannel.js"
export * as PluginContract from "./PluginContract.js"
export * as RecordingChannel from "./RecordingChannel.js"
export * as ScriptedCheck from "./ScriptedCheck.js"
export * as StrategyContract from "./StrategyContract.js"
