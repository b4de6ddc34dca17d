// `pvkit decode`: what do these bytes say?

import { InvalidArgumentError, Option, type Command } from 'commander';

import { counted, COMMAND_NAMES, DEFAULT_LIMITS } from '../protocol/index.ts';
import { CaptureError } from './capture/capture-error.ts';
import type { Entry } from './capture/entry.ts';
import { traceInput } from './capture/input.ts';
import { LeftOut } from './capture/packet.ts';
import { decodedJson, leftOutJson } from './decode-json.ts';
import { decodedText, type DecodeTextOptions } from './decode-text.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import { inputName, readInput, STANDARD_INPUT } from './input.ts';
import { withDebug, withElements, withJson, type DebugOptions, type ViewOptions } from './options.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';

type DecodeOptions = DebugOptions &
  Pick<ViewOptions, 'json' | 'elements' | 'precision'> & {
    readonly pv?: readonly string[];
    readonly command?: readonly string[];
  };

const ABOUT = `Print every message as named fields with their bytes beside them, both directions of each connection
followed, so that data is decoded by the types that were agreed on before.

FILE, or standard input without it or with -, is a capture (pcap or pcapng of any age, from tcpdump, dumpcap or
Wireshark), hexadecimal text (with or without the offsets and characters that xxd and hexdump -C print), the bytes of
messages as they are, or a recorded conversation (JSON) of pvkit's test vectors.

Offsets count from the end of the header.`;

const EXAMPLES = `
Examples:
  pvkit decode capture.pcapng
  pvkit decode --pv demo:sine --command MONITOR capture.pcapng
  tcpdump -i lo -c 100 -w - port 5075 or port 5076 | pvkit decode
  echo 'ca 02 41 02 00 00 00 00' | pvkit decode -v
  pvkit decode --json capture.pcap | jq -c 'select(.problem != null)'
`;

const ELEMENTS_ON_TERMINAL = 20;
/** Nobody reads on, and the text of more would not fit into memory. */
const MAX_ELEMENTS = 1_000_000;

export function addDecode(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('decode')
    .summary('explain captured messages, byte by byte')
    .description(prose(ABOUT))
    .argument('[file]', 'what to decode; - for standard input', STANDARD_INPUT)
    .addOption(
      new Option('--pv <name>', 'only messages about this PV; may be given several times').argParser<
        readonly string[] | undefined
      >((name, names) => [...(names ?? []), name]),
    )
    .addOption(
      new Option('--command <names>', 'only these commands, such as GET,PUT').argParser<readonly string[] | undefined>(
        (text, names) => [...(names ?? []), ...commandsOf(text)],
      ),
    );
  withElements(withJson(command));
  withDebug(command, 'show headers field by field, and all bytes of long fields');
  return command
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: DecodeOptions) => run(() => decode(file, options, host)));
}

async function decode(file: string, options: DecodeOptions, host: CliHost): Promise<ExitCode> {
  const bytes = await wholeInput(file, host);
  const leftOut = new LeftOut();
  const view = textOptions(options, host);
  let messageCount = 0;
  for (const entry of traceInput(bytes, leftOut)) {
    if (host.interrupt.aborted) return FAILED;
    if (entry.kind === 'message') messageCount++;
    if (!isWanted(entry, options)) continue;
    host.stdout.write(
      options.json === true ? decodedJson(entry, messageCount) : decodedText(entry, messageCount, view),
    );
    await host.stdout.drained();
  }
  tellLeftOut(leftOut, options, host);
  if (messageCount > 0) return DONE;
  throw new CaptureError(`no message of pvAccess in the ${counted(bytes.length, 'byte')} of ${inputName(file)}`);
}

function isWanted(entry: Entry, { pv, command }: DecodeOptions): boolean {
  if (entry.kind !== 'message') return pv === undefined && command === undefined;
  const { traced } = entry;
  if (command !== undefined && !command.includes(traced.command)) return false;
  return pv === undefined || traced.pvNames.some((name) => pv.includes(name));
}

function tellLeftOut(leftOut: LeftOut, options: DecodeOptions, host: CliHost): void {
  for (const entry of leftOut.reasons) {
    if (options.json === true) host.stdout.write(leftOutJson(entry));
    else {
      const first = entry.first === undefined ? '' : ` (the first is packet ${entry.first})`;
      host.stderr.write(`left out: ${entry.reason}: ${entry.count}${first}\n`);
    }
  }
}

function textOptions(options: DecodeOptions, host: CliHost): DecodeTextOptions {
  const byDefault = host.stdout.isTerminal ? ELEMENTS_ON_TERMINAL : MAX_ELEMENTS;
  const asked = options.elements === 0 ? MAX_ELEMENTS : (options.elements ?? byDefault);
  return {
    paint: paintOf(host.stdout, host.environment),
    isVerbose: options.verbose === true,
    text: { maxElements: Math.min(asked, MAX_ELEMENTS), digits: options.precision ?? 0 },
  };
}

// --- input -----------------------------------------------------------------------------------------------------

/** All bytes of the input, up to the limit. */
async function wholeInput(file: string, host: CliHost): Promise<Uint8Array> {
  const limit = DEFAULT_LIMITS.maxCaptureBytes;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readInput(file, host)) {
    length += chunk.length;
    if (length > limit) {
      throw new CaptureError(`${inputName(file)} has more than ${limit} bytes; cut it with editcap or tcpdump -r`);
    }
    if (host.interrupt.aborted) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function commandsOf(text: string): readonly string[] {
  return text.split(',').map((word) => {
    const name = word.trim().toUpperCase().replace(/^CMD_/u, '');
    if (COMMAND_NAMES.includes(name)) return name;
    throw new InvalidArgumentError(`Expected names such as ${COMMAND_NAMES.join(' ')}.`);
  });
}
