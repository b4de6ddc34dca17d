// Does the decode tool explain whatever it is given, every byte of every message accounted for?

import { traceInput } from '../../src/cli/capture/input.ts';
import { LeftOut } from '../../src/cli/capture/packet.ts';
import { CaptureError } from '../../src/cli/capture/capture-error.ts';
import { decodedJson } from '../../src/cli/decode-json.ts';

import { longMessage } from '../long-values.ts';
import { withFittingSizes } from '../repair.ts';
import * as w from '../../test/support/capture-writer.ts';

import { requireThat, utf8, type Target } from '../target.ts';
import { conversations, datagrams, recordingTexts } from '../vectors.ts';

export const captures: Target = {
  name: 'captures',
  seeds: () => [
    ...conversations('client'),
    ...conversations('server'),
    ...datagrams(),
    ...recordingTexts(10),
    ...[...conversations('server').slice(0, 10), ...datagrams().slice(0, 10)].flatMap(captured),
    utf8('ca 02 00 03  00000025 # a search\n0000  ca 02 41 02 00 00 00 00  |..A.....|\n'),
  ],
  repair: withFittingSizes,
  speaks: 'pva',
  // Each byte is shown in several ways.
  usPerByte: 4,
  long: (bytes, random) => longMessage(bytes, random, 'pva', random.pick(['client', 'server'] as const)),
  run(input) {
    try {
      let count = 0;
      for (const entry of traceInput(input, new LeftOut())) {
        const line = decodedJson(entry, ++count);
        requireThat(typeof JSON.parse(line) === 'object', 'every line is JSON');
      }
    } catch (thrown) {
      if (!(thrown instanceof CaptureError) || thrown.message === '') throw thrown;
    }
  },
};

const TIME_NS = 1_700_000_000_123_456_789n;
/** Bytes of one side in two segments, of which the second comes first. */
const CUT = 40;
const V4: w.Ends = { from: '127.0.0.1', fromPort: 5075, to: '127.0.0.2', toPort: 40_000 };
const V6: w.Ends = { from: '0:0:0:0:0:0:0:1', fromPort: 5075, to: '0:0:0:0:0:0:0:1', toPort: 40_000 };
const UDP: w.Ends = { ...V4, toPort: 5076 };

/** The same bytes as files that packet sniffers write, of several kinds. */
function captured(bytes: Uint8Array): readonly Uint8Array[] {
  const syn = w.tcp(V4, 99, new Uint8Array(0), w.FLAGS.syn);
  const segments = [w.tcp(V4, 100 + CUT, bytes.subarray(CUT)), w.tcp(V4, 100, bytes.subarray(0, CUT))];
  const frames = (wrap: (packet: Uint8Array) => Buffer, packets: readonly Uint8Array[]): readonly w.Frame[] =>
    packets.map((packet) => ({ timeNs: TIME_NS, bytes: wrap(packet) }));
  const tcp = [syn, ...segments].map((segment) => w.ipv4(V4, w.TCP, segment));
  const udp = [w.ipv4(UDP, w.UDP, w.udp(UDP, bytes))];
  return [
    w.pcap(frames(w.ethernet, tcp)),
    w.pcapng(frames(w.linuxSll2, [...tcp, ...udp]), { linkType: w.LINKS.sll2, isBig: true }),
    w.pcap(frames(w.linuxSll, [w.ipv6(V6, w.TCP, w.tcp(V6, 100, bytes))]), { linkType: w.LINKS.sll, isNano: true }),
  ].map((file) => new Uint8Array(file));
}
