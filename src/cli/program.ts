// Which commands are there, and how does the line that a user typed find its command?

import { Command, CommanderError } from 'commander';

import { BAD_USAGE, DONE, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost, Reach, Terminal } from './host.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';
import { packageVersion } from './version.ts';

/** Adds one command to the program; `run` is to be called by its action. */
type AddCommand = (program: Command, host: CliHost, run: Act) => Command;

/** In the order of the help. Each is loaded when it is asked for: a start takes as long as what is loaded for it. */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['serve', async () => (await import('./serve.ts')).addServe],
  ['get', async () => (await import('./get.ts')).addGet],
  ['put', async () => (await import('./put.ts')).addPut],
  ['monitor', async () => (await import('./monitor.ts')).addMonitor],
  ['info', async () => (await import('./info.ts')).addInfo],
  ['types', async () => (await import('./types.ts')).addTypes],
  ['list', async () => (await import('./list.ts')).addList],
  ['call', async () => (await import('./call.ts')).addCall],
  ['channel', async () => (await import('./channel.ts')).addChannel],
  ['echo', async () => (await import('./echo.ts')).addEcho],
  ['probe', async () => (await import('./probe.ts')).addProbe],
  ['doctor', async () => (await import('./doctor.ts')).addDoctor],
  ['sniff', async () => (await import('./sniff.ts')).addSniff],
  ['load', async () => (await import('./load.ts')).addLoad],
  ['decode', async () => (await import('./decode.ts')).addDecode],
  ['backup', async () => (await import('./backup.ts')).addBackup],
  ['restore', async () => (await import('./restore.ts')).addRestore],
]);

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
  pvkit doctor demo:sine               tell why one is not found
  pvkit help put                       tell more about a command
`;

/** Runs one command line; `words` are those after the program's name. Never throws. */
export async function runCli(
  words: readonly string[],
  terminal: Terminal,
  reach: () => Promise<Reach>,
): Promise<ExitCode> {
  let exitCode: ExitCode = DONE;
  const run: Act = async (act) => {
    exitCode = await act();
  };
  const program = emptyProgram(terminal);
  try {
    const names = neededCommands(words);
    if (names.length > 0) {
      const [around, { interruptOf }, ...adds] = await Promise.all([
        reach(),
        import('./interrupted.ts'),
        ...names.map((name) => COMMANDS.get(name)?.()),
      ]);
      const host = { ...terminal, ...around, interrupt: interruptOf(terminal.interrupt) };
      for (const add of adds) add?.(program, host, run);
    }
    if (words.length === 0) program.help({ error: true });
    await program.parseAsync(asked(words, program), { from: 'user' });
  } catch (thrown) {
    // Commander has printed what it threw: help, the version, or what is wrong with the line.
    if (thrown instanceof CommanderError) return endedByCommander(thrown, words, terminal);
    const { reportFault } = await import('./fault.ts');
    return reportFault(thrown, words, terminal);
  }
  return exitCode;
}

/** Without its commands. */
function emptyProgram(terminal: Terminal): Command {
  const { stdout, stderr, environment } = terminal;
  return new Command('pvkit')
    .description(prose(ABOUT))
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'tell more about a command')
    .addHelpText('after', AFTER)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns,
      getErrHelpWidth: () => stderr.columns,
      getOutHasColors: () => paintOf(stdout, environment).isOn,
      getErrHasColors: () => paintOf(stderr, environment).isOn,
      outputError: (text, write) => write(text.replace(/^error: /u, 'pvkit: ')),
    });
}

/** The command that the line is about, none for the version; all of them for the help and for what is no command. */
function neededCommands([first = '', second = '']: readonly string[]): readonly string[] {
  if (first === '-V' || first === '--version') return [];
  const name = first === 'help' ? second : first;
  return COMMANDS.has(name) ? [name] : [...COMMANDS.keys()];
}

/** Help and the version are done; all else is a wrong line, and is told where there is more to read, as ours are. */
function endedByCommander({ exitCode, code }: CommanderError, words: readonly string[], terminal: Terminal): ExitCode {
  if (exitCode === 0) return DONE;
  if (code === 'commander.help') return BAD_USAGE;
  const [first = '', second = ''] = words;
  const name = first === 'help' ? second : first;
  const more = COMMANDS.has(name) ? `\`pvkit help ${name}\` tells more` : '`pvkit help` lists the commands';
  terminal.stderr.write(`${more}\n`);
  return BAD_USAGE;
}

/**
 * `help nosuch` is answered as `nosuch` is, with what might have been meant; `help channel create` and `channel help
 * create` by the help of `create`.
 */
function asked(words: readonly string[], program: Command): string[] {
  const [first = '', second, third] = words;
  if (first === 'help' && second !== undefined && !COMMANDS.has(second)) return [second];
  const [name, inner] = first === 'help' ? [second, third] : second === 'help' ? [first, third] : [];
  const within = program.commands.find((command) => command.name() === name)?.commands ?? [];
  if (name === undefined || inner === undefined || within.length === 0) return [...words];
  return within.some((command) => command.name() === inner) ? [name, inner, '--help'] : [name, inner];
}
