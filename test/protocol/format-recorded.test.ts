// Do delta and tree read as pvxs printed the very same bytes? Held against the recorded conversations.

import { describe, expect, it } from 'vitest';

import { formatDelta } from '../../src/protocol/values/format-delta.ts';
import { formatTree, formatType } from '../../src/protocol/values/format-tree.ts';
import { seenIn, transcript, transcriptNames, type Seen } from '../support/conversations.ts';

/** What pvxs does by itself: six digits, and bytes that are not ASCII as \xNN. */
const AS_PVXS = { digits: 6, asciiOnly: true } as const;
const TOOLS = new Set(['pvxget', 'pvxmonitor', 'pvxcall', 'pvxinfo']);

function printed(seen: Seen): string {
  const { command, pvName, serverPort, type, changed, value } = seen;
  if (command === 'GET_FIELD') return `${pvName} from 127.0.0.1:${serverPort}\n${formatType(type)}`;
  if (value === undefined) throw new Error(`${command} of ${pvName} without a value`);
  if (command === 'RPC') return formatTree(type, value, AS_PVXS);
  return `${pvName}\n${formatDelta(type, value, changed, { ...AS_PVXS, indent: '    ' })}`;
}

const recorded = transcriptNames()
  .filter((name) => name.startsWith('pvxs-') || name.startsWith('mixed-'))
  .map(transcript)
  .filter(({ clients }) => clients.every(({ args, exitCode }) => exitCode !== 1 && TOOLS.has(args[0] ?? '')))
  .filter(({ tcp }) => tcp.length > 0);

describe('the recorded output of the pvxs tools', () => {
  it('is there', () => {
    expect(recorded.length).toBeGreaterThan(40);
  });

  it.each(recorded.map((conversation) => [conversation.name, conversation] as const))('%s', (_name, conversation) => {
    const expected = conversation.clients.map(({ stdout }) => stdout).join('');
    expect(seenIn(conversation).map(printed).join('')).toBe(expected);
  });
});
