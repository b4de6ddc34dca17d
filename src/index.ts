// The public names of pvkit, listed by hand.

// What a server hosts.
export type { Access, AccessFunction } from './channels/access/access.ts';
export { AccessRules, type AccessRulesOptions, type RightsOfPeer } from './channels/access/access-rules.ts';
export { ALL_RIGHTS, NO_RIGHTS, type AccessRights, type Allow, type AllowWord } from './channels/access/rights.ts';
export type { AccessRule, AuthMethod, Patterns } from './channels/access/rule.ts';
export type { BehaviourOptions } from './channels/behaviours/behaviours.ts';
export {
  computed,
  type ComputedInputs,
  type ComputedOptions,
  type ComputedPV,
  type InputValues,
} from './channels/behaviours/computed.ts';
export type { ControlMode } from './channels/behaviours/control-limits.ts';
export { expression, type ExpressionInputs } from './channels/expression/expression.ts';
export type {
  CallRequest,
  Channel,
  ChannelRequest,
  ChannelUpdate,
  PutRequest,
  Subscriber,
  TellLevel,
} from './channels/channel.ts';
export type { Peer } from './channels/peer.ts';
export { limitAlarm, valueAlarmOf, type AlarmLimits, type AlarmSeverities } from './channels/limit-alarm.ts';
export type { PostOf } from './channels/post-of.ts';
export { SharedPV, type SharedPVOptions } from './channels/shared-pv.ts';
export type {
  ChannelStore,
  DefineOptions,
  ScanOptions,
  StoreChange,
  StoredChannel,
  StoredDefinition,
  StoreHealth,
  StoreWatcher,
  StoreWriteOptions,
} from './channels/stores/channel-store.ts';
export type { Json, JsonObject } from './channels/stores/json.ts';
export { MemoryEngine, MemoryStore } from './channels/stores/memory-store.ts';
export { openStore, type OpenStoreOptions } from './channels/stores/open-store.ts';
export type { NodeDescription, StoreNode, StoreNodes } from './channels/stores/store-nodes.ts';
export { StoreError, type StoreErrorCode } from './channels/stores/store-error.ts';
export { StaticSource, type Source } from './channels/source.ts';

// Stores of channels.
export {
  backupLines,
  readBackup,
  requireSameDefinition,
  restoreChannel,
  type Restored,
  type RestoreOptions,
} from './channels/stores/backup.ts';
export { BackupError } from './channels/stores/backup-format.ts';

// The server.
export { ChannelManager, type ChannelManagerOptions, type ManagedChannel } from './server/channel-manager.ts';
export { configuredPv, configuredPvs } from './server/configured-pv.ts';
export { LineLog, type LineLogOptions, type LineSink } from './server/line-log.ts';
export type { LoggedValue } from './server/logged-value.ts';
export {
  SERVER_NOTICES,
  type GeneralNotice,
  type LinkNotice,
  type NoticeLevel,
  type ServerCounters,
  type ServerNotice,
} from './server/notices.ts';
export type { LoggedChange, LoggedOperation, PutLogEntry, PutOutcome } from './server/put-log.ts';
export { NodesPV } from './server/nodes-pv.ts';
export { SearchSpread } from './server/search-spread.ts';
export { Server, type ServerOptions } from './server/server.ts';
export { StatisticsPVs, type ServerStatistics } from './server/statistics.ts';
export { StoreStatusPV } from './server/store-status.ts';
export { StoredChannels, type StoredChannelsOptions } from './server/stored-channels.ts';
export { Workspace, type WorkspaceOptions, type WorkspaceStoreOptions } from './server/workspace/workspace.ts';
export { WorkspaceLockedError } from './server/workspace/workspace-lock.ts';

// The client.
export { ArrayAccess, type ArrayGetOptions, type ArrayPartOptions } from './client/array-access.ts';
export type { CallOptions } from './client/call.ts';
export { channelRightsText, type ChannelRights } from './client/channel-rights.ts';
export type { ContextOptions } from './client/context-options.ts';
export { Context } from './client/context.ts';
export { diagnose, type DiagnoseOptions } from './client/diagnose.ts';
export type {
  ChannelTrial,
  Diagnosis,
  Finding,
  FindingCode,
  HeardBeacon,
  NameServerTrial,
  SearchAnswer,
  SearchTrial,
  ServerTrial,
  UdpPortState,
  Visit,
  VisitStage,
} from './client/diagnose-result.ts';
export type { DiscoveredServer, Discovery } from './client/discovery.ts';
export type { EchoOptions, EchoReply } from './client/echo.ts';
export type { Identity } from './client/identity.ts';
export type {
  Monitor,
  MonitorConnected,
  MonitorDisconnected,
  MonitorEvent,
  MonitorOptions,
  MonitorUpdate,
} from './client/monitor.ts';
export { CLIENT_NOTICES, type ClientNotice } from './client/notices.ts';
export type { Outcome } from './client/outcomes.ts';
export type { Reading } from './client/operations/get.ts';
export type { ChannelInfo } from './client/operations/get-field.ts';
export type { ArrayType } from './client/operations/array.ts';
export type {
  ArrayOptions,
  ChannelOptions,
  GetOptions,
  InfoOptions,
  ProcessOptions,
  PutGetOptions,
  PutOptions,
  RpcOptions,
} from './client/options.ts';
export type { ProbeReply } from './client/probe.ts';
export type { PutFunction } from './client/put-plan.ts';
export type { RpcArguments } from './client/rpc-argument.ts';
export { sniff, type Sniffed, type SniffedBeacon, type SniffedSearch, type SniffOptions } from './client/sniff.ts';

// The load generator.
export {
  LOAD_SCENARIOS,
  runLoad,
  type RunLoadOptions,
  type LoadProgress,
  type LoadResult,
  type LoadScenario,
} from './load/load.ts';
export { GROWTH_TOLERANCE, type GrowthVerdict } from './load/growth-verdict.ts';
export type { LatencySummary } from './load/histogram.ts';
export type { Growth, ProcessReading, ProcessUse } from './load/process-watch.ts';

// The configuration: EPICS_* variables, .env files, TOML and flags.
export type { ChannelDefinition } from './config/channel-definition.ts';
export { ConfigError, problemText, type ConfigProblem } from './config/config-error.ts';
export { clientRows, serverRows, type Row } from './config/effective-rows.ts';
export {
  resolveClientConfig,
  resolveServerConfig,
  type ClientConfig,
  type ClientSettings,
  type ServerConfig,
  type ServerFlags,
  type ServerSettings,
} from './config/effective.ts';
export { ENVIRONMENT_VARIABLES, type EnvironmentVariable } from './config/environment.ts';
export { loadClientConfig, loadServerConfig, type LoadOptions, type LoadServerOptions } from './config/load.ts';

// What both stand on.
export { systemClock, type Clock, type TimerHandle } from './transport/clocks.ts';
export type { Endpoint, Network } from './transport/network.ts';
export type { Processes } from './transport/processes.ts';
export { nodeNetwork } from './transport/node-network.ts';
export { processVitals, type Vitals, type VitalSigns } from './transport/vitals.ts';
