// Where does `pvkit serve` keep its logs and its state? In a workspace if there is one, which it holds while it runs.

import { join, resolve } from 'node:path';

import { LineLog, Workspace, type ServerConfig } from '../index.ts';
import type { CliHost } from './host.ts';
import { Log, type LogLevel } from './log.ts';

const LOG_FILE = 'pvkit.log';

export class ServePlace {
  readonly workspace: Workspace | undefined;
  readonly log: Log;
  /** Where a relative name of the put log is. */
  readonly putLogFolder: string;
  /** Aborted when the workspace is another process's, with the reason. */
  readonly lost: AbortSignal;
  readonly #file: LineLog | undefined;

  private constructor(workspace: Workspace | undefined, file: LineLog | undefined, log: Log, host: CliHost) {
    this.workspace = workspace;
    this.log = log;
    this.lost = workspace?.lost ?? new AbortController().signal;
    this.putLogFolder = workspace?.logFolder ?? host.folder;
    this.#file = file;
  }

  /** @throws PvaError when the workspace cannot be used, or another process holds it */
  static async open({ name, workspace: folder }: ServerConfig, level: LogLevel, host: CliHost): Promise<ServePlace> {
    if (folder === undefined) return new ServePlace(undefined, undefined, new Log(name, level, host), host);
    const stale: string[] = [];
    const { clock } = host;
    const workspace = await Workspace.open(resolve(host.folder, folder), {
      clock,
      signal: host.interrupt,
      onStale: (text) => stale.push(text),
      onWait: (text) => new Log(name, level, host).write({ level: 'warning', text }),
    });
    const onTrouble = (text: string): void => host.stderr.write(`${LOG_FILE}: ${text}\n`);
    try {
      const file = await LineLog.append(join(workspace.logFolder, LOG_FILE), { clock, onTrouble });
      const log = new Log(name, level, host, (line) => file.addLine(line));
      for (const text of stale) log.write({ level: 'info', text });
      return new ServePlace(workspace, file, log, host);
    } catch (thrown) {
      await workspace.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    await this.workspace?.close();
  }
}
