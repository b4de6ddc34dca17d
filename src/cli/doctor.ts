// `pvkit doctor`: why is a PV found, or not found?

import type { Command } from 'commander';

import { diagnose } from '../index.ts';
import { diagnosisText } from './doctor-text.ts';
import { DONE, FAILED, type ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  timeoutMsOf,
  withDebug,
  withJson,
  withTimeout,
  type DebugOptions,
  type JsonOptions,
  type TimeoutOptions,
  pvNameOf,
} from './options.ts';
import { paintOf } from './paint.ts';
import type { Act } from './run.ts';
import { clientConfig } from './session.ts';

type DoctorOptions = DebugOptions & TimeoutOptions & JsonOptions;

const ABOUT = `Try everything that a client does until it has a PV, and tell what is wrong, a sentence each, with what helps:
which searches go out where, who answers, whether name servers and servers can be reached by TCP and let us in, and whether
the PV can be opened. Without PV: whether any server is found.

What the EPICS_PVA_* variables say is tried first. Only if that leads nowhere, other places are tried, too, and beacons are
heard until the time of -w is over; a beacon may take 3 minutes to come. Exit code 0: all is well; 1: it is not.`;

const EXAMPLES = `
Examples:
  pvkit doctor
  pvkit doctor demo:sine
  pvkit doctor -w 180 lab:nosuch
  pvkit doctor --json demo:sine | jq -r '.findings[].text'
`;

export function addDoctor(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('doctor')
    .summary('tell why a PV is not found')
    .description(prose(ABOUT))
    .argument('[name]', 'PV name', pvNameOf);
  withDebug(
    withTimeout(withJson(command), 'take at most so long'),
    'tell every answer; print the configuration of the client on stderr',
  );
  return command
    .addHelpText('after', EXAMPLES)
    .action((name: string | undefined, options: DoctorOptions) => run(() => doctor(name, options, host)));
}

async function doctor(pvName: string | undefined, options: DoctorOptions, host: CliHost): Promise<ExitCode> {
  const config = clientConfig(host, options);
  const { network, clock, interrupt } = host;
  // A diagnosis that may take for ever is none.
  const timeoutMs = options.timeout === 0 ? undefined : timeoutMsOf(options);
  try {
    const diagnosis = await diagnose({ pvName, config, network, clock, timeoutMs, signal: interrupt });
    const paint = paintOf(host.stdout, host.environment);
    const text = diagnosisText(diagnosis, { paint, isVerbose: options.verbose === true });
    host.stdout.write(options.json === true ? `${JSON.stringify(diagnosis, withPrefix)}\n` : text);
    return diagnosis.isWell ? DONE : FAILED;
  } catch (thrown) {
    if (!interrupt.aborted) throw thrown;
    host.stderr.write('Interrupted\n');
    return FAILED;
  }
}

/** GUIDs are written as everywhere on the command line. */
function withPrefix(key: string, value: unknown): unknown {
  return key === 'guid' && typeof value === 'string' ? `0x${value}` : value;
}
