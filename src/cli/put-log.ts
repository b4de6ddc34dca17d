// Where does `pvkit serve` log puts? In the file that the configuration names, or on standard output.

import { reasonOf } from '../protocol/index.ts';
import { LineLog, type LineLogOptions, type LineSink, type ServerConfig } from '../index.ts';
import { UsageError } from './fault.ts';
import type { CliHost, Output } from './host.ts';
import { join, isAbsolute } from 'node:path';

/** The name that stands for standard output. */
const STDOUT = '-';

/** @param folder where a relative file is. @throws UsageError when the file cannot be opened, before any port is */
export async function openPutLog(
  { putLog, limits, origins }: ServerConfig,
  folder: string,
  host: CliHost,
  onTrouble: (text: string) => void,
): Promise<LineLog | undefined> {
  if (putLog === undefined) return undefined;
  const options: LineLogOptions = {
    maxWaitingCharacters: limits.maxPutLogCharacters,
    clock: host.clock,
    onTrouble: (text) => onTrouble(`put log: ${text}`),
  };
  if (putLog === STDOUT) return new LineLog(sinkOf(host.stdout), options);
  try {
    return await LineLog.append(isAbsolute(putLog) ? putLog : join(folder, putLog), options);
  } catch (thrown) {
    throw new UsageError(`${origins.putLog}: log.puts: cannot be opened: ${reasonOf(thrown)}`);
  }
}

function sinkOf(output: Output): LineSink {
  return {
    write(text) {
      output.write(text);
      return output.drained();
    },
    // It is not ours.
    close: () => Promise.resolve(),
  };
}
