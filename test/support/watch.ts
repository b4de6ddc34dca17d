// How do tests see what subscribers of a channel are told? As lines of changed fields, one list for each update.

import type { Channel, ChannelUpdate } from '../../src/channels/channel.ts';
import { fieldPaths } from '../../src/protocol/values/field-paths.ts';

export interface Watch {
  /** Every update told since the watch began, the first state not among them. */
  readonly told: ChannelUpdate[];
  /** The field `value` of each. */
  readonly values: () => unknown[];
  /** The paths of the changed fields of each. */
  readonly paths: () => string[][];
  /** The message of the alarm of each. */
  readonly alarms: () => unknown[];
  readonly end: () => void;
}

export function watch(channel: Channel): Watch {
  const told: ChannelUpdate[] = [];
  const end = channel.subscribe({ update: (update) => told.push(update), finish: () => undefined });
  told.length = 0;
  return {
    told,
    values: () => told.map(({ value }) => value['value']),
    paths: () => told.map(({ changed }) => fieldPaths(channel.type, changed)),
    alarms: () => told.map(({ value }) => messageOf(value['alarm'])),
    end,
  };
}

function messageOf(alarm: unknown): unknown {
  return typeof alarm === 'object' && alarm !== null && 'message' in alarm ? alarm.message : undefined;
}
