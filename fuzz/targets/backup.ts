// Is a backup read to its end or refused by line, and is what was read written as it was?

import { createHash } from 'node:crypto';

import { readBackup } from '../../src/channels/stores/backup.ts';
import { BackupReader, BackupWriter } from '../../src/channels/stores/backup-format.ts';
import type { ChannelUpdate } from '../../src/channels/channel.ts';
import type { StoredChannel } from '../../src/channels/stores/channel-store.ts';
import { PvaError } from '../../src/protocol/errors.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { any, double, long, string, structure, union, type StructureType } from '../../src/protocol/types/type-desc.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';

import { requireThat, textOf, utf8, type Target } from '../target.ts';

const HEADER = { written: '2026-01-31T12:00:00.000Z', store: 'memory' };
const SUM_CHARACTERS = 16;

export const backup: Target = {
  name: 'backup',
  seeds: () => [
    seed([ntScalar(double, { display: true }), { value: 21.5, alarm: { severity: 2 } }]),
    seed([ntScalarArray(long), { value: [1, 2] }], [ntEnum, { value: { index: 1, choices: ['a', 'b'] } }]),
    seed([structure('x', { choice: union({ a: double, b: string }), any, s: string }), { s: 'é"\\' }]),
    seed(),
  ],
  repair: withFittingSums,
  async run(input) {
    const channels: StoredChannel[] = [];
    try {
      // In two chunks, the first of which may end within a character.
      const half = input.length >> 1;
      for await (const channel of readBackup(chunks(input.subarray(0, half), input.subarray(half)))) {
        channels.push(channel);
      }
    } catch (thrown) {
      if (!(thrown instanceof PvaError) || thrown.message === '') throw thrown;
      return;
    }
    const written = linesOf(channels);
    const reader = new BackupReader();
    const again = written.flatMap((line) => reader.line(line.trimEnd()) ?? []);
    reader.end();
    requireThat(linesOf(again).join('') === written.join(''), 'what was read comes back as it was');
  },
};

async function* chunks(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

function linesOf(channels: readonly StoredChannel[]): readonly string[] {
  const writer = new BackupWriter();
  return [writer.header(HEADER), ...channels.map((channel) => writer.channel(channel)), writer.end()];
}

function seed(...channels: readonly (readonly [type: StructureType, patch: unknown])[]): Uint8Array {
  const stored = channels.map(([type, patch], index): StoredChannel => {
    // The update of a structure is a structure.
    const state = coercePartial(type, patch) as ChannelUpdate;
    return {
      definition: { name: `lab:${index}`, type, settings: { units: 'V' } },
      revision: index,
      state,
    };
  });
  return utf8(linesOf(stored).join(''));
}

/** The same lines with the checksums that they should have, so that what is between them is looked at. */
function withFittingSums(input: Uint8Array): Uint8Array {
  const hash = createHash('sha256');
  let channelCount = -1;
  const lines = textOf(input)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const body = line.replace(/,"sum":"[0-9a-f]*"\}$/u, '');
      const isEnd = body.includes('"sha256"');
      const whole = isEnd ? `{"channels":${channelCount},"sha256":"${hash.copy().digest('hex')}"` : body;
      const sum = createHash('sha256').update(whole).digest('hex').slice(0, SUM_CHARACTERS);
      const fitting = `${whole},"sum":"${sum}"}\n`;
      hash.update(fitting);
      channelCount++;
      return fitting;
    });
  return utf8(lines.join(''));
}
