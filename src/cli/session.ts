// How does a command get at the servers? One client for as long as the command runs, closed whatever happens.

import { clientRows, Context, loadClientConfig, type ClientConfig } from '../index.ts';
import { UsageError } from './fault.ts';
import type { CliHost } from './host.ts';
import type { CodecOptions, DebugOptions, ServerOptions } from './options.ts';
import { columns, paintOf } from './paint.ts';
import { printable } from './printable.ts';
import { timeText } from './time-text.ts';

/** The client's configuration; what is odd about it goes to stderr, with `-v` all of it does. */
export function clientConfig(host: CliHost, options: DebugOptions): ClientConfig {
  const config = loadClientConfig({ folder: host.folder, processEnvironment: host.environment });
  const paint = paintOf(host.stderr, host.environment);
  for (const warning of config.warnings) host.stderr.write(`${paint.yellow('warning:')} ${printable(warning)}\n`);
  if (options.verbose === true) host.stderr.write(columns(clientRows(config)));
  return config;
}

/** @throws ConfigError before anything is sent */
export async function withClient<T>(
  host: CliHost,
  options: DebugOptions & CodecOptions & ServerOptions,
  act: (context: Context) => Promise<T>,
): Promise<T> {
  requirePort(options);
  const config = clientConfig(host, options);
  const context = new Context({ config, network: host.network, clock: host.clock, codec: options.codec });
  const deaf = listen(context, host, options);
  try {
    return await act(context);
  } finally {
    deaf();
    await context.close();
  }
}

/** There is no port that speaks MessagePack by convention. */
function requirePort({ codec, server }: CodecOptions & ServerOptions): void {
  if (codec !== 'msgpack' || server === undefined || /^(\[.*\]|[^:]*):\d+$/u.test(server)) return;
  throw new UsageError(`--server ${server} has no port, and MessagePack none by default; expected host:port`);
}

/** What servers and links have to say: warnings and what servers tell people always, everything with `-d`. */
function listen(context: Context, host: CliHost, options: DebugOptions): () => void {
  const paint = paintOf(host.stderr, host.environment);
  return context.onNotice(({ kind, level, text }) => {
    const isTold = level === 'warning' || level === 'error' || (kind === 'serverMessage' && level === 'info');
    const isShown = options.debug === true || isTold;
    if (isShown) host.stderr.write(`${paint.dim(timeText(host.clock.wallTime()))} ${level}: ${printable(text)}\n`);
  });
}
