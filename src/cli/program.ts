// Which commands are there, and how does the line that a user typed find its command?

import { Command, CommanderError } from 'commander';

import { ConfigError } from '../index.ts';
import { addCall } from './call.ts';
import { addDecode } from './decode.ts';
import { addEcho } from './echo.ts';
import { BAD_USAGE, DONE, exitCodeOf, sentenceOf, stackOf, UsageError, type ExitCode } from './exit-code.ts';
import { addGet } from './get.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import { addInfo } from './info.ts';
import { addList } from './list.ts';
import { addMonitor } from './monitor.ts';
import { paintOf } from './paint.ts';
import { printable } from './printable.ts';
import { addProbe } from './probe.ts';
import { addPut } from './put.ts';
import type { Act } from './run.ts';
import { addServe } from './serve.ts';
import { packageVersion } from './version.ts';

/** Adds one command to the program; `run` is to be called by its action. */
type AddCommand = (program: Command, host: CliHost, run: Act) => Command;

const COMMANDS: readonly AddCommand[] = [
  addServe,
  addGet,
  addPut,
  addMonitor,
  addInfo,
  addList,
  addCall,
  addEcho,
  addProbe,
  addDecode,
];

const ABOUT = `pvkit speaks pvAccess, the protocol of EPICS 7: it serves PVs, reads and writes those of any server (IOCs,
pvxs, p4p, Phoebus services) and finds out who is there.

Servers are found by searching, as all EPICS tools do: the EPICS_PVA_* variables say where.`;

const AFTER = `
Exit codes: 0 done, 1 failed or timed out, 2 bad usage or configuration.

Examples:
  pvkit serve --demo                   serve a dozen PVs worth looking at
  pvkit get demo:sine demo:enum        read two of them
  pvkit monitor demo:counter           watch one until ^C
  pvkit put demo:setpoint 42           write one
  pvkit help put                       tell more about a command
`;

/** Runs one command line; `words` are those after the program's name. Never throws. */
export async function runCli(words: readonly string[], host: CliHost): Promise<ExitCode> {
  let exitCode: ExitCode = DONE;
  const program = new Command('pvkit')
    .description(prose(ABOUT))
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'tell more about a command')
    .addHelpText('after', AFTER)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns,
      getErrHelpWidth: () => host.stderr.columns,
      getOutHasColors: () => paintOf(host.stdout, host.environment).isOn,
      getErrHasColors: () => paintOf(host.stderr, host.environment).isOn,
      outputError: (text, write) => write(text.replace(/^error: /u, 'pvkit: ')),
    });
  const run: Act = async (act) => {
    exitCode = await act();
  };
  for (const add of COMMANDS) add(program, host, run);
  try {
    if (words.length === 0) program.help({ error: true });
    await program.parseAsync(asked(words, program), { from: 'user' });
  } catch (thrown) {
    // Commander has printed what it threw: help, the version, or what is wrong with the line.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? DONE : BAD_USAGE;
    report(thrown, words, host);
    return exitCodeOf(thrown);
  }
  return exitCode;
}

/** `help nosuch` is answered as `nosuch` is, with what might have been meant. */
function asked(words: readonly string[], program: Command): string[] {
  const [first, second] = words;
  const isUnknown =
    first === 'help' && second !== undefined && !program.commands.some((known) => known.name() === second);
  return isUnknown ? [second] : [...words];
}

function report(thrown: unknown, words: readonly string[], host: CliHost): void {
  // Every fault of a configuration has a line that begins with its place, for editors to jump to.
  const prefix = thrown instanceof ConfigError ? '' : 'pvkit: ';
  host.stderr.write(`${prefix}${printable(sentenceOf(thrown))}\n`);
  if (thrown instanceof UsageError && words[0] !== undefined) {
    host.stderr.write(`\`pvkit help ${words[0]}\` tells more\n`);
  }
  if (isDebug(words)) host.stderr.write(`${stackOf(thrown)}\n`);
}

/** Asked before commands know their flags, so that a fault in their parsing can be shown, too. */
function isDebug(words: readonly string[]): boolean {
  return words.some((word) => word === '--debug' || /^-[vd]*d[vd]*$/u.test(word));
}
