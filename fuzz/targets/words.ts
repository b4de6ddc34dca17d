// Are the words of a command line read, or refused with an error that says why? One word a line.

import { isDeepStrictEqual } from 'node:util';

import { InvalidArgumentError } from 'commander';

import { patchOf } from '../../src/cli/assignments.ts';
import { argumentsOf } from '../../src/cli/call-arguments.ts';
import { loadNamesOf } from '../../src/cli/load-names.ts';
import { countOf, pvNamesOf, secondsOf, serverOf } from '../../src/cli/options.ts';
import { formatAddress, parseAddressList } from '../../src/config/address-list.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double, long, string } from '../../src/protocol/types/type-desc.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { coercePartial } from '../../src/protocol/values/coerce.ts';
import { formatJson } from '../../src/protocol/values/format-json.ts';
import { encodeType } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';

import { mayRefuse, requireThat, textOf, utf8, type Target } from '../target.ts';

const TYPES = [ntScalar(double, { display: true }), ntScalar(string), ntScalarArray(long), ntEnum];
const MOST_COUNT = 0x7fff_ffff;
const MOST_NAMES = 100_000;
/** Each refusal is an error with a stack, which takes longer than all else. */
const MOST_WORDS = 100;
const MOST_SECONDS = 86_400;

export const words: Target = {
  name: 'words',
  // Few characters may stand for a hundred thousand names.
  baseMs: 1_500,
  seeds: () =>
    [
      '21.5',
      'value=3\nalarm.severity=2\ndisplay.units=V',
      '[1, 2, 3]',
      '{"value": {"index": 1}}',
      'lhs:int=2\nrhs:double[]=[1,2]\nname=text\nflag=true',
      'bench:put{0..99}{08..10}',
      '127.0.0.1:5075',
      '[fe80::1%lo]:5075\n10.0.0.255,1@127.0.0.1',
      '1e-3',
      '00017',
    ].map(utf8),
  run(input) {
    const given = textOf(input).split('\n');
    const patch = mayRefuse(() => patchOf(given));
    if (patch !== undefined) {
      for (const type of TYPES) {
        const update = mayRefuse(() => coercePartial(type, patch));
        if (update !== undefined) JSON.parse(formatJson(type, update.value));
      }
    }
    for (const asText of [false, true]) {
      const args = mayRefuse(() => argumentsOf(given, asText));
      // What the command line takes can be sent.
      for (const { type, value } of Object.values(args ?? {})) {
        anyCodecOf(type).encode(new Writer(false), value, encodeType);
      }
    }
    for (const word of given.slice(0, MOST_WORDS)) oneWord(word);
    const addresses = parseAddressList(given.join(' '), () => undefined, { key: 'X' });
    const again = parseAddressList(addresses.map(formatAddress).join(' '), () => undefined, { key: 'X' });
    requireThat(isDeepStrictEqual(again, addresses), 'addresses come back from their text');
  },
};

function oneWord(word: string): void {
  const names = mayBeInvalid(() => loadNamesOf(word));
  // Two ranges side by side may give a name twice: {1..11}{1..11}.
  const nameCount = names?.length ?? 1;
  requireThat(nameCount >= 1 && nameCount <= MOST_NAMES, 'a range stands for names, and for no more than it may');
  mayBeInvalid(() => pvNamesOf(word));
  mayBeInvalid(() => serverOf(word));
  const count = mayBeInvalid(() => countOf(word, 0, MOST_COUNT));
  requireThat(count === undefined || (Number.isInteger(count) && count >= 0 && count <= MOST_COUNT), 'a count is one');
  const seconds = mayBeInvalid(() => secondsOf(word, MOST_SECONDS));
  requireThat(seconds === undefined || (seconds >= 0 && seconds <= MOST_SECONDS), 'seconds are within their bounds');
}

/** As `mayRefuse`, for what commander calls itself. */
function mayBeInvalid<R>(act: () => R): R | undefined {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof InvalidArgumentError && thrown.message !== '') return undefined;
    throw thrown;
  }
}
