// Does a channel of any type come out as it was asked for, and does no request, however odd, end otherwise than with a reason?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/channels/stores/memory-store.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { jsonSchema } from '../../src/protocol/types/json-schema.ts';
import { string, structure } from '../../src/protocol/types/type-desc.ts';
import { formatJson, typeJson } from '../../src/protocol/values/format-json.ts';
import { CallArguments } from '../../src/server/call-arguments.ts';
import { ChannelManager } from '../../src/server/channel-manager.ts';
import { definitionFromArguments } from '../../src/server/create-arguments.ts';
import { StoredChannels } from '../../src/server/stored-channels.ts';
import { isSameValue, structureTypes, typedValues, valuesOf } from '../support/arbitraries.ts';
import { plainArguments, uriArguments } from '../support/manage-client.ts';

async function makeManager() {
  const store = new MemoryStore();
  const channels = await StoredChannels.open(store);
  return { store, channels, manager: new ChannelManager({ channels }) };
}

describe('the arguments of op=create', () => {
  it(
    'make a channel of any structure with any value, by its type or its schema, for 1 000 random ones',
    { timeout: 120_000 },
    async () => {
      const { channels, manager } = await makeManager();
      const cases = structureTypes().chain((type) => fc.tuple(fc.constant(type), valuesOf(type), fc.boolean()));
      await fc.assert(
        fc.asyncProperty(cases, async ([type, value, bySchema]) => {
          const said = bySchema ? { schema: jsonSchema(type) } : { type: typeJson(type) };
          const args = new CallArguments(plainArguments({ ...said, value: formatJson(type, value) }));
          const created = await manager.create(definitionFromArguments('x', args, DEFAULT_LIMITS));
          const channel = channels.open('x');
          expect(channel?.type).toBe(type);
          expect(created.definition.type).toBe(type);
          expect(isSameValue(channel?.state.value ?? null, value)).toBe(true);
          await manager.destroy('x');
          expect(channel?.isClosed).toBe(true);
        }),
        { numRuns: 1_000 },
      );
      expect(channels.count).toBe(0);
    },
  );

  it('end with a channel or with a reason, whatever they are', async () => {
    const { store, channels, manager } = await makeManager();
    const words = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.json({ maxDepth: 4 }),
      fc.constantFrom(
        'double',
        'int[]',
        'enum(a|b)',
        'enum(',
        '{"kind":"structure","id":"","fields":[]}',
        '{"type":"number"}',
      ),
      fc.constantFrom(
        '{"properties":{"__proto__":{"default":1}}}',
        '{"$ref":"#"}',
        '{"type":"integer","default":1e400}',
      ),
    );
    const texts = fc.record({ type: words, schema: words, value: words, settings: words }, { requiredKeys: [] });
    const typed = typedValues().map(({ type, value }) => ({
      type: structure({ type, value: type, settings: string }),
      value: { type: value, value, settings: '{}' },
    }));
    const args = fc.oneof(texts.map(plainArguments), texts.map(uriArguments), typed, typedValues(), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(args, async (argument) => {
        try {
          await manager.create(definitionFromArguments('x', new CallArguments(argument), DEFAULT_LIMITS));
          await manager.destroy('x');
        } catch (thrown) {
          if (!(thrown instanceof PvaError)) throw thrown;
          expect(thrown.message).not.toBe('');
        }
        expect(channels.count).toBe(0);
      }),
      { numRuns: 2_000 },
    );
    for await (const { definition } of store.scan()) expect.unreachable(definition.name);
  });
});
