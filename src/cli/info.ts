// `pvkit info`: what is the type of these PVs, and which server has them?

import type { Command } from 'commander';

import { channelRightsText, type ChannelInfo } from '../index.ts';
import { formatType, jsonSchema, typeJson } from '../protocol/index.ts';
import type { ExitCode } from './exit-code.ts';
import { prose } from './help-text.ts';
import type { CliHost } from './host.ts';
import {
  timeoutMsOf,
  withCodec,
  withDebug,
  withJson,
  withServer,
  withTimeout,
  type CodecOptions,
  type DebugOptions,
  type JsonOptions,
  type ServerOptions,
  type TimeoutOptions,
  pvNamesOf,
} from './options.ts';
import { errorJson, Outcome } from './outcome.ts';
import { paintOf, type Paint } from './paint.ts';
import { printable } from './printable.ts';
import type { Act } from './run.ts';
import { withClient } from './session.ts';

type InfoOptions = DebugOptions &
  CodecOptions &
  TimeoutOptions &
  JsonOptions &
  ServerOptions & { readonly jsonSchema?: true };

const ABOUT = `Print the type of PVs and the server that has each.

The type is what the server describes, whatever fields a get would return. With --json it is an object: scalars are
names such as "double", arrays "double[]", structures {"kind", "id", "fields": [{"name", "type"}]}.

With --json-schema it is a JSON Schema (2020-12), one a line, of the "value" that \`pvkit get --json\` prints: for
tools that check, document or generate JSON and know nothing of pvData. Keywords x-pva-type, x-pva-id and x-pva-fields say what
JSON Schema has no words for; they give the same type back.

Servers of pvkit and Phoebus also tell what you may do beside reading: it stands behind the address, and with --json as
"rights", which is null where the server does not tell.`;

const EXAMPLES = `
Examples:
  pvkit info demo:sine
  pvkit info --json demo:struct | jq '.type.fields[].name'
  pvkit info --json-schema demo:struct > struct.schema.json
`;

export function addInfo(program: Command, host: CliHost, run: Act): Command {
  const command = program
    .command('info')
    .summary('print types and servers of PVs')
    .description(prose(ABOUT))
    .argument('<name...>', 'PV names', pvNamesOf)
    .option('--json-schema', 'print the JSON Schema of the values instead of the type');
  withTimeout(withJson(command), 'give up after so long; 0 for never');
  withDebug(withCodec(withServer(command)), 'print the configuration of the client on stderr');
  return command
    .addHelpText('after', EXAMPLES)
    .action((names: string[], options: InfoOptions) => run(() => info(names, options, host)));
}

async function info(names: readonly string[], options: InfoOptions, host: CliHost): Promise<ExitCode> {
  const outcome = new Outcome(host, options);
  const paint = paintOf(host.stdout, host.environment);
  const { server, json } = options;
  await withClient(host, options, async (context) => {
    const call = { server, timeoutMs: timeoutMsOf(options), signal: host.interrupt };
    const asked = names.map((name) =>
      context.info(name, call).then(
        (found) => ({ found }),
        (thrown: unknown) => ({ thrown }),
      ),
    );
    for (const [index, name] of names.entries()) {
      const answer = await asked[index];
      if (answer === undefined) continue;
      if ('found' in answer) {
        const { found } = answer;
        host.stdout.write(shown(name, found, options, paint));
      } else {
        if (json === true) host.stdout.write(`${errorJson(name, answer.thrown)}\n`);
        outcome.fail(name, answer.thrown);
      }
    }
  });
  return outcome.end();
}

function shown(name: string, found: ChannelInfo, { json, jsonSchema: isSchema }: InfoOptions, paint: Paint): string {
  if (isSchema === true) return `${jsonSchema(found.type, name)}\n`;
  if (json === true) return infoJson(name, found);
  return `${paint.bold(printable(name))} from ${found.server}${rightsText(found)}\n${formatType(found.type)}`;
}

function rightsText({ rights }: ChannelInfo): string {
  return rights === undefined ? '' : `, rights: ${channelRightsText(rights)}`;
}

function infoJson(name: string, { server, type, rights }: ChannelInfo): string {
  const members = [
    `"name":${JSON.stringify(name)}`,
    `"server":${JSON.stringify(server)}`,
    `"rights":${JSON.stringify(rights ?? null)}`,
    `"type":${typeJson(type)}`,
  ];
  return `{${members.join(',')}}\n`;
}
