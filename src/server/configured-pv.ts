// Which PVs do the channels of the configuration become?

import type { BehaviourOptions } from '../channels/behaviours/behaviours.ts';
import { ComputedPV } from '../channels/behaviours/computed.ts';
import type { ChannelUpdate, PutRequest } from '../channels/channel.ts';
import { expression } from '../channels/expression/expression.ts';
import { SharedPV } from '../channels/shared-pv.ts';
import { stamped } from '../channels/standard-fields.ts';
import type { ChannelDefinition, ChannelType, ComputedDefinition } from '../config/channel-definition.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import { NO_ALARM } from '../protocol/normative/alarm.ts';
import { enumValue } from '../protocol/normative/nt-enum.ts';
import { timeStamp } from '../protocol/normative/time-stamp.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue } from '../protocol/types/value-of.ts';
import { anyCodecOf } from '../protocol/values/codec.ts';
import { allLeaves } from '../protocol/values/leaf-mask.ts';
import { updateFromJson } from '../protocol/values/parse-json.ts';
import type { Clock } from '../transport/clocks.ts';
import { configuredFields, configuredType, fieldType } from './configured-fields.ts';

export type OnPut = (put: PutRequest, pv: SharedPV) => void | Promise<void>;

/**
 * A PV in memory that clients read, watch and, unless it is read-only or computed, write. A put outside of the control
 * limits is refused, or clipped if the definition says so; alarm limits set the alarm.
 * @param inputs the channels that a computed one is made of, by their PV names
 * @param onPut what becomes of an admitted put; it is posted unless this is given
 * @param initial the first value, where it is known already; of a channel that is not computed
 * @throws LocalProtocolError when the definition does not fit its type, or an input is missing
 */
export function configuredPv(
  definition: ChannelDefinition,
  clock: Clock,
  inputs: ReadonlyMap<string, SharedPV> = new Map(),
  onPut: OnPut = postPut,
  initial?: ChannelUpdate,
): SharedPV {
  const type = configuredType(definition);
  const options = { ...behavioursOf(definition), clock };
  if (definition.computed !== undefined) {
    const choices = definition.type.kind === 'enum' ? { value: enumValue(definition.type.choices) } : {};
    return computedPv(type, definition, definition.computed, inputs, {
      ...options,
      initial: { ...configuredFields(definition, type), ...choices },
    });
  }
  return new SharedPV<StructureType>(type, {
    ...options,
    initial: initial ?? initialOf(definition, type, clock),
    ...(!definition.readOnly && { onPut }),
  });
}

function initialOf(definition: ChannelDefinition, type: StructureType, clock: Clock): unknown {
  if (definition.type.kind === 'structure') return structureOf(definition, type, clock);
  return {
    ...configuredFields(definition, type),
    value: valueOf(definition, type),
    timeStamp: timeStamp(clock.wallTime()),
    // Limits find out themselves.
    ...(definition.alarm === undefined && { alarm: NO_ALARM }),
  };
}

/** Every leaf counts as set: what the definition does not say is what it begins with all the same. */
function structureOf({ value }: ChannelDefinition, type: StructureType, clock: Clock): ChannelUpdate {
  const patch = typeof value === 'object' && 'patch' in value ? value.patch : {};
  const named = updateFromJson(type, patch);
  return { changed: allLeaves(type), value: stamped(type, named, clock.wallTime()).value };
}

function postPut(put: PutRequest, pv: SharedPV): void {
  pv.post(put);
}

/**
 * The PVs of all channels by their names, the computed ones among them connected to the others.
 * @throws LocalProtocolError when an input names no channel or a channel depends on itself
 */
export function configuredPvs(definitions: readonly ChannelDefinition[], clock: Clock): ReadonlyMap<string, SharedPV> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const made = new Map<string, SharedPV>();
  const underWay = new Set<string>();

  function make(definition: ChannelDefinition): void {
    const { name, computed } = definition;
    if (made.has(name)) return;
    if (underWay.has(name)) throw new LocalProtocolError(`${name} depends on itself`);
    underWay.add(name);
    for (const input of Object.values(computed?.inputs ?? {})) {
      const found = byName.get(input);
      if (found !== undefined) make(found);
    }
    underWay.delete(name);
    made.set(name, configuredPv(definition, clock, made));
  }

  for (const definition of definitions) make(definition);
  return made;
}

function behavioursOf({ control, alarm, deadband }: ChannelDefinition): BehaviourOptions {
  return {
    timeStamps: 'auto',
    limitAlarms: alarm !== undefined,
    ...(control !== undefined && { control: control.mode ?? 'reject' }),
    ...(deadband !== undefined && { deadband }),
  };
}

function computedPv(
  type: StructureType,
  definition: ChannelDefinition,
  { expression: text, inputs, maximizeSeverity }: ComputedDefinition,
  channels: ReadonlyMap<string, SharedPV>,
  options: BehaviourOptions & { readonly clock: Clock; readonly initial: unknown },
): ComputedPV {
  const found = Object.entries(inputs).map(([name, pvName]) => {
    const channel = channels.get(pvName);
    if (channel === undefined) throw new LocalProtocolError(`${definition.name}: there is no channel ${pvName}`);
    return [name, channel] as const;
  });
  const compute = expression(text, Object.keys(inputs));
  // Control limits are for what clients put.
  const { control: _, ...others } = options;
  return new ComputedPV<StructureType>(
    type,
    Object.fromEntries(found),
    (values) => ({ value: resultOf(definition.type, compute(numbersOf(values))) }),
    { ...others, maximizeSeverity },
  );
}

/** Of an enum the index counts. */
function numbersOf(values: Readonly<Record<string, PvValue>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, indexIn(value) ?? value]));
}

function indexIn(value: PvValue): unknown {
  return typeof value === 'object' && value !== null && 'index' in value ? value.index : undefined;
}

/** A number as the channel's type has it; what it cannot have is for `post` to refuse. */
function resultOf(type: ChannelType, result: number | bigint): unknown {
  if (type.kind !== 'scalar') return result;
  switch (type.scalar) {
    case 'boolean':
      if (Number.isNaN(result)) throw new LocalProtocolError('NaN is neither true nor false');
      return Number(result) !== 0;
    case 'float':
    case 'double':
      return Number(result);
    default:
      return result;
  }
}

/** The value, or zero, empty text, an empty array, the first choice: a PV of the configuration always has one. */
function valueOf({ type, value }: ChannelDefinition, into: StructureType): unknown {
  if (type.kind === 'enum') return enumValue(type.choices, Number(value ?? 0));
  const field = fieldType(into, 'value');
  return value ?? (field === undefined ? undefined : anyCodecOf(field).defaultValue());
}
