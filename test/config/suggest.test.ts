// Which known word an unknown one is taken for.
import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../src/config/suggest.ts';

const KEYS = ['name', 'tcp_port', 'udp_port', 'interfaces', 'auto_beacon', 'low', 'high'];

describe('an unknown word', () => {
  it.each([
    ['nmae', 'name'],
    ['tcpPort', 'tcp_port'],
    ['TCP-PORT', 'tcp_port'],
    ['udp_prot', 'udp_port'],
    ['interface', 'interfaces'],
    ['hgih', 'high'],
    ['lo', undefined],
    ['xx', undefined],
    ['completely_different', undefined],
    ['', undefined],
    ['x'.repeat(1_000_000), undefined],
  ])('%s is taken for %s', (word, known) => {
    expect(suggest(word, KEYS)).toBe(known);
  });

  it('is answered with a question, or with nothing', () => {
    expect(didYouMean('nmae', KEYS)).toBe('; did you mean "name"?');
    expect(didYouMean('zzz', KEYS)).toBe('');
  });
});
