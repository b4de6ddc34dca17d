// What does a configuration say about one channel? Plain data; a later layer makes the channel of it.
import type { ScalarName } from '../protocol/types/type-desc.ts';

export type ChannelType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarName }
  | { readonly kind: 'array'; readonly element: ScalarName }
  | { readonly kind: 'enum'; readonly choices: readonly string[] };

/**
 * boolean: boolean; byte to uint, float, double: number; long, ulong: bigint; string: string; arrays: arrays of these;
 * enum: index of the choice. Plain arrays rather than typed ones, because typed arrays cannot be frozen.
 */
export type ChannelValue = ScalarValue | readonly ScalarValue[];
export type ScalarValue = boolean | number | bigint | string;

export interface DisplayDefinition {
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** Digits behind the point. */
  readonly precision: number | undefined;
  readonly format: string | undefined;
}

export interface ControlDefinition {
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly minStep: number | undefined;
}

/** Limits of the value beyond which it is in alarm; those of one kind may be left out. */
export interface AlarmDefinition {
  readonly low: number | undefined;
  readonly lowWarning: number | undefined;
  readonly highWarning: number | undefined;
  readonly high: number | undefined;
  readonly hysteresis: number | undefined;
}

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
  readonly readOnly: boolean;
  /** Who defined it: `lab.toml:12` or `--pv`. */
  readonly origin: string;
}
