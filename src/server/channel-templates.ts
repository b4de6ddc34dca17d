// What do stored settings say, when thousands of channels have the same? They are checked once, and the first value that
// follows from them is made once.

import type { ChannelUpdate } from '../channels/channel.ts';
import type { JsonObject } from '../channels/stores/json.ts';
import { Memo } from '../channels/stores/memo.ts';
import type { ChannelDefinition } from '../config/channel-definition.ts';
import type { Clock } from '../transport/clocks.ts';
import { configuredPv } from './configured-pv.ts';

export interface ChannelTemplate {
  readonly definition: ChannelDefinition;
  /** The first value, where it was made already; never of a computed channel. */
  readonly initial: ChannelUpdate | undefined;
}

interface Known {
  readonly definition: ChannelDefinition;
  useCount: number;
  initial: ChannelUpdate | undefined;
}

export class ChannelTemplates {
  readonly #known = new Memo<Known>();
  readonly #read: (name: string, settings: JsonObject) => ChannelDefinition;
  readonly #clock: Clock;

  /** `read` checks settings and makes a definition of them. */
  constructor(read: (name: string, settings: JsonObject) => ChannelDefinition, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** @throws PvaError what `read` throws */
  of(name: string, settings: JsonObject): ChannelTemplate {
    const known = this.#known.of(JSON.stringify(settings), () => ({
      definition: this.#read(name, settings),
      useCount: 0,
      initial: undefined,
    }));
    known.useCount++;
    const { definition } = known;
    if (known.useCount === 2 && definition.computed === undefined)
      known.initial = configuredPv(definition, this.#clock).state;
    return { definition: { ...definition, name }, initial: known.initial };
  }
}
