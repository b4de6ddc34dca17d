// What do stored settings say, when thousands of channels have the same? They are checked once, and the type and first
// value that follow from them are made once.

import type { ChannelUpdate } from '../channels/channel.ts';
import type { JsonObject } from '../channels/stores/json.ts';
import { Memo } from '../channels/stores/memo.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import type { StructureType } from '../protocol/types/type-desc.ts';
import type { Clock } from '../transport/clocks.ts';
import { configuredType } from './configured-fields.ts';
import { configuredPv } from './configured-pv.ts';

export interface ChannelTemplate {
  /** Its name is that of the first channel with these settings. */
  readonly definition: ChannelDefinition;
  readonly type: StructureType;
  /** The first value; undefined of a computed channel. */
  readonly initial: ChannelUpdate | undefined;
}

export class ChannelTemplates {
  /** Stores give the same object for the same text, as long as they know it. */
  readonly #bySettings = new WeakMap<JsonObject, ChannelTemplate>();
  readonly #byText = new Memo<ChannelTemplate>();
  readonly #read: (name: string, settings: JsonObject) => ChannelDefinition;
  readonly #clock: Clock;

  /** `read` checks settings and makes a definition of them. */
  constructor(read: (name: string, settings: JsonObject) => ChannelDefinition, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** @throws PvaError what `read` throws; LocalProtocolError when the settings do not fit each other */
  of(name: string, settings: JsonObject): ChannelTemplate {
    const known = this.#bySettings.get(settings);
    if (known !== undefined) return known;
    const template = this.#byText.of(JSON.stringify(settings), () => this.#make(name, settings));
    this.#bySettings.set(settings, template);
    return template;
  }

  #make(name: string, settings: JsonObject): ChannelTemplate {
    const definition = this.#read(name, settings);
    const isComputed = definition.computed !== undefined;
    return {
      definition,
      type: configuredType(definition),
      initial: isComputed ? undefined : configuredPv(definition, this.#clock).state,
    };
  }
}
