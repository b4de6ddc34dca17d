// How does a diagnosis read for people?
//
//   searches     lo 127.0.0.1:5076 (unicast): 127.0.0.1:5075 has it, 0.4 ms
//   udp port     5076 is shared with other programs of this host
//   server       127.0.0.1:5075: version 2, little endian, ...
//   problem: a sentence
//       what can be done

import type { Diagnosis, NameServerTrial, SearchAnswer, SearchTrial, ServerTrial, Visit } from '../index.ts';
import { counted } from '../protocol/index.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

export interface DiagnosisTextOptions {
  readonly paint: Paint;
  readonly isVerbose: boolean;
}

const HEAD_WIDTH = 13;
const INDENT = '    ';

export function diagnosisText(diagnosis: Diagnosis, { paint, isVerbose }: DiagnosisTextOptions): string {
  const { searches, udpPort, nameServers, servers, beacons, findings } = diagnosis;
  const facts = [
    ...section(
      'searches',
      searches.flatMap((trial) => searchLines(trial, diagnosis, isVerbose)),
    ),
    ...section('udp port', [`${udpPort.port} ${PORT_TEXT[udpPort.state]}`]),
    ...section('name servers', nameServers.map(nameServerLine)),
    ...section(
      'servers',
      servers.map((trial) => serverLine(trial, diagnosis)),
    ),
    ...section(
      'beacons',
      beacons.map(({ server, guid, via }) => `${server} guid 0x${guid} via ${via}`),
    ),
  ];
  const told = findings.flatMap(({ level, text, advice }) => [
    `${level === 'problem' ? paint.red('problem:') : paint.yellow('warning:')} ${printable(text)}`,
    `${INDENT}${printable(advice)}`,
  ]);
  const well = diagnosis.isWell ? [`${paint.green('all is well:')} ${printable(summary(diagnosis))}`] : [];
  return [...facts.map(printable), ...told, ...well].map((line) => `${line}\n`).join('');
}

const PORT_TEXT = {
  free: 'is used by nobody on this host',
  shared: 'is shared with other programs of this host',
  taken: 'is kept by a program of this host for itself',
} as const;

function section(head: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${(index === 0 ? head : '').padEnd(HEAD_WIDTH)}${line}`);
}

function summary({ pvName, searches, servers }: Diagnosis): string {
  if (pvName === undefined) {
    const guids = new Set(searches.flatMap(({ answers }) => answers.map(({ guid }) => guid)));
    return counted(guids.size, 'server answers', 'servers answer');
  }
  const found = servers.find(({ visit }) => visit.channel?.state === 'created');
  return `${pvName} is at ${found?.server ?? 'a server'}`;
}

// --- facts -----------------------------------------------------------------------------------------------------

function searchLines(trial: SearchTrial, { pvName }: Diagnosis, isVerbose: boolean): readonly string[] {
  const { to, kind, via, isConfigured, errors, answers } = trial;
  const through = via === undefined ? '' : `${via.name} `;
  const how = isConfigured ? kind : `${kind}, not configured`;
  const head = `${through}${to} (${how}):`;
  const problems = errors.map((error) => `${head} ${error}`);
  if (answers.length === 0) return problems.length > 0 ? problems : [`${head} no answer`];
  const shown = isVerbose ? answers : answers.filter(({ hasPv }) => hasPv);
  const rest = answers.length - shown.length;
  const count = counted(rest, 'server answers', 'servers answer');
  const without = pvName === undefined ? '' : ', without having it';
  const first = answers[0];
  const fastest = first === undefined || shown.length > 0 ? '' : `, the first in ${msText(first.roundTripMs)}`;
  return [
    ...problems,
    ...shown.map((answer) => `${head} ${answerText(answer, pvName)}`),
    ...(rest === 0 ? [] : [`${head} ${count}${without}${fastest}`]),
  ];
}

function answerText({ server, guid, version, roundTripMs, hasPv }: SearchAnswer, pvName: string | undefined): string {
  const what = pvName === undefined ? 'answers' : hasPv ? 'has it' : 'does not have it';
  return `${server} ${what}, ${msText(roundTripMs)}, version ${version}, guid 0x${guid}`;
}

function nameServerLine({ name, visit }: NameServerTrial): string {
  if (visit === undefined) return `${name}: no such host`;
  const { search } = visit;
  const searched = search === undefined ? [] : [SEARCH_TEXT[search.state] + msSuffix(search.roundTripMs)];
  return `${name}: ${[...visitTexts(visit), ...searched].join(', ')}`;
}

const SEARCH_TEXT = { found: 'finds it', notFound: 'answers searches', silent: 'does not answer searches' } as const;

function serverLine(trial: ServerTrial, { pvName }: Diagnosis): string {
  const { server, guid, source, visit } = trial;
  const { channel } = visit;
  const texts = [
    ...visitTexts(visit),
    ...(channel?.state === 'created' ? [`has ${pvName ?? 'it'}${typeText(channel.typeId)}`] : []),
    ...(channel?.state === 'created' && channel.rights?.put === false ? ['no right to put'] : []),
    ...(channel?.state === 'refused' ? [`refuses the channel`] : []),
    ...(guid === undefined ? [] : [`guid 0x${guid}`]),
    ...(source === 'guess' ? ['a guess, not found by searching'] : []),
  ];
  return `${server}: ${texts.join(', ')}`;
}

function typeText(typeId: string | undefined): string {
  return typeId === undefined || typeId === '' ? '' : ` (${typeId})`;
}

function visitTexts(visit: Visit): readonly string[] {
  const { stage, failure, connectMs, version, byteOrder, authMethod, authMethods, echoMs } = visit;
  const heard = [
    ...(connectMs === undefined ? [] : [`connects in ${msText(connectMs)}`]),
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(byteOrder === undefined ? [] : [byteOrder]),
    ...(authMethod === undefined ? [] : [`auth ${authMethod} of ${authMethods.join(' ')}`]),
    ...(echoMs === undefined ? [] : [`echo in ${msText(echoMs)}`]),
  ];
  return stage === 'validated' ? heard : [...heard, failure?.text ?? STAGE_TEXT[stage]];
}

const STAGE_TEXT = {
  connecting: 'no TCP connection',
  connected: 'says nothing',
  greeted: 'does not let us in',
} as const;

function msText(ms: number): string {
  return `${ms.toFixed(3)} ms`;
}

function msSuffix(ms: number | undefined): string {
  return ms === undefined ? '' : ` in ${msText(ms)}`;
}
