// What does a configuration say about one channel? Plain data; a later layer makes the channel of it.
import type { ControlMode } from '../channels/behaviours/control-limits.ts';
import type { AlarmSeverities } from '../channels/limit-alarm.ts';
import type { ScalarName, StructureType } from '../protocol/types/type-desc.ts';

export type ChannelType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarName }
  | { readonly kind: 'array'; readonly element: ScalarName }
  | { readonly kind: 'enum'; readonly choices: readonly string[] }
  /** Exactly this structure, whatever it is. */
  | { readonly kind: 'structure'; readonly structure: StructureType };

/**
 * boolean: boolean; byte to uint, float, double: number; long, ulong: bigint; string: string; arrays: arrays of these;
 * enum: index of the choice. Plain arrays rather than typed ones, because typed arrays cannot be frozen.
 */
export type ChannelValue = ScalarValue | readonly ScalarValue[] | StructurePatch;
/** Fields of a structure in their JSON, as `updateFromJson` takes them; they are known to fit. */
export interface StructurePatch {
  readonly patch: unknown;
}
export type ScalarValue = boolean | number | bigint | string;

/** A limit as it was written: an integer past 2^53 is a bigint, so that its last digits count. */
export type Limit = number | bigint;

export interface DisplayDefinition {
  readonly low: Limit | undefined;
  readonly high: Limit | undefined;
  /** Digits behind the point. */
  readonly precision: number | undefined;
  readonly format: string | undefined;
}

export interface ControlDefinition {
  readonly low: Limit | undefined;
  readonly high: Limit | undefined;
  readonly minStep: number | undefined;
  /** What becomes of a put that does not keep to it; 'reject' unless it is said. */
  readonly mode?: ControlMode | undefined;
}

/** Limits of the value beyond which it is in alarm; those of one kind may be left out. */
export interface AlarmDefinition {
  readonly low: Limit | undefined;
  readonly lowWarning: Limit | undefined;
  readonly highWarning: Limit | undefined;
  readonly high: Limit | undefined;
  readonly hysteresis: number | undefined;
  /** How bad it is to be beyond each; MAJOR for `low` and `high` and MINOR for the warnings unless it is said. */
  readonly severities?: AlarmSeverities | undefined;
}

/** A channel whose value is computed from those of others. */
export interface ComputedDefinition {
  /** In the language of channels/expression. */
  readonly expression: string;
  /** Names of channels by the names that the expression has for them. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Whether the alarm is at least as bad as the worst of the inputs. */
  readonly maximizeSeverity: boolean;
}

/** What of a channel a store keeps beside its definition: what clients put, what the server itself posts too, nothing. */
export type Persistence = 'puts' | 'all' | 'none';

/** One channel as the TOML file or `--pv` describes it; undefined is what they do not say. */
export interface ChannelDefinition {
  readonly name: string;
  readonly type: ChannelType;
  /** Initial value; undefined leaves the type's zero. */
  readonly value: ChannelValue | undefined;
  readonly units: string | undefined;
  readonly description: string | undefined;
  readonly display: DisplayDefinition | undefined;
  readonly control: ControlDefinition | undefined;
  readonly alarm: AlarmDefinition | undefined;
  /** How far a value must be from the last one told before subscribers are told of it. */
  readonly deadband?: number | undefined;
  readonly computed?: ComputedDefinition | undefined;
  readonly readOnly: boolean;
  /** 'puts' unless it is said; without a store it means nothing. */
  readonly persist?: Persistence | undefined;
  /** Who defined it: `lab.toml:12` or `--pv`. */
  readonly origin: string;
}
