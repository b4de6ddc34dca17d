// Why is a PV, or any server at all, not found where the configuration searches? The likeliest reason, and what helps.

import { claims, configuredAnswers, problem, type DiagnosisFacts } from './diagnose-facts.ts';
import type { Finding, SearchAnswer, SearchTrial } from './diagnose-result.ts';

const TCP = 'tcp';

/** Nothing when it is found. */
export function whyNotFound(facts: DiagnosisFacts): readonly Finding[] {
  const { pvName, searches, servers, config } = facts;
  const answers = configuredAnswers(facts);
  const isFound = pvName === undefined ? answers.length > 0 : claims(facts).some(({ protocol }) => protocol === TCP);
  if (isFound || (pvName === undefined && facts.nameServers.some(({ visit }) => visit?.stage === 'validated')))
    return [];

  const other = claims(facts)[0];
  if (other !== undefined) {
    const text = `${other.server} has ${pvName}, but speaks ${other.protocol} only.`;
    return [problem('otherProtocol', text, 'Use a client that speaks it, or let the server speak tcp, too.')];
  }
  const elsewhere = searches
    .filter(({ isConfigured }) => !isConfigured)
    .flatMap((trial) => {
      const answer = trial.answers.find(({ hasPv }) => hasPv || pvName === undefined);
      return answer === undefined ? [] : [{ trial, answer }];
    });
  const [first] = elsewhere;
  if (first !== undefined) return [foundElsewhere(first.trial, first.answer, facts)];

  const guessed = servers.find(({ source, hasPv }) => source === 'guess' && (hasPv || pvName === undefined));
  if (guessed !== undefined) {
    const what = pvName === undefined ? 'takes TCP connections' : `has ${pvName}`;
    const text = `${guessed.server} ${what}, but does not answer searches by UDP.`;
    const advice = `Let UDP port ${config.udpPort} through the firewalls there and here, or search by TCP: EPICS_PVA_NAME_SERVERS=${guessed.server}`;
    return [problem('foundByTcpOnly', text, advice)];
  }
  const listing = servers.find(({ listsPv }) => listsPv === true);
  if (listing !== undefined) {
    const text = `${listing.server} lists ${pvName}, but does not answer searches for it.`;
    return [
      problem('listedButSilent', text, 'Restart the server; until then --server reaches the PV without a search.'),
    ];
  }
  const silent = facts.beacons.filter(({ guid }) => !answers.some((answer) => answer.guid === guid));
  const beaconOnly = silent.map(({ server, via }) => {
    const text = `${server} sends beacons (from ${via}), but does not answer searches.`;
    const advice = `A firewall lets UDP through one way only: let searches to its UDP port ${config.udpPort} in there, and the answers to any port in here.`;
    return problem('beaconOnly', text, advice);
  });
  return [...beaconOnly, ...(answers.length === 0 ? noAnswer(facts) : [notServed(facts, answers)])];
}

function foundElsewhere(
  { to, kind }: SearchTrial,
  { server }: SearchAnswer,
  { pvName, config }: DiagnosisFacts,
): Finding {
  const what = pvName === undefined ? `A server, ${server},` : `${server} has ${pvName} and`;
  const text = `${what} answers at ${to}, where the configuration does not search.`;
  const isUsualPort = to.endsWith(`:${config.udpPort}`);
  const listed = config.addresses.map(({ host, port }) => (port === config.udpPort ? host : `${host}:${port}`));
  const address = isUsualPort ? to.slice(0, to.lastIndexOf(':')) : to;
  const advice =
    kind === 'broadcast' && isUsualPort
      ? 'Set EPICS_PVA_AUTO_ADDR_LIST=YES'
      : `Set EPICS_PVA_ADDR_LIST=${quoted([...listed, address].join(' '))}${isUsualPort ? '' : `, or EPICS_PVA_BROADCAST_PORT=${to.slice(to.lastIndexOf(':') + 1)}`}`;
  return problem('foundElsewhere', text, advice);
}

function noAnswer({ pvName, searches, config, nameServers }: DiagnosisFacts): readonly Finding[] {
  const sent = searches.filter(({ isConfigured, errors }) => isConfigured && errors.length === 0).map(({ to }) => to);
  if (sent.length === 0) {
    // What cannot be sent, or whose name server is dead, is not answered; that has been said.
    const isAsked = nameServers.some(({ visit }) => visit?.search?.state === 'notFound');
    return isAsked && pvName !== undefined ? [notFoundByNameServers(pvName)] : [];
  }
  const text = `No server answers the searches sent to ${sent.join(', ')}.`;
  const advice = [
    'Is a server running?',
    `For one on another network name its host in EPICS_PVA_ADDR_LIST; on this host, 127.0.0.1.`,
    `Firewalls have to let UDP port ${config.udpPort} in there, and the answers in here.`,
  ].join(' ');
  return [problem('noAnswer', text, advice)];
}

function notFoundByNameServers(pvName: string): Finding {
  const text = `No name server knows ${pvName}, and nothing else is searched.`;
  return problem(
    'notServed',
    text,
    'Check the spelling of the name, whether its server is running, and whether access rules hide it.',
  );
}

function notServed({ pvName, servers }: DiagnosisFacts, answers: readonly SearchAnswer[]): Finding {
  const count = new Set(answers.map(({ guid }) => guid)).size;
  const text =
    count === 1
      ? `1 server answers, but it does not have ${pvName}.`
      : `${count} servers answer, but none has ${pvName}.`;
  const near = servers.find(({ nearName }) => nearName !== undefined);
  const advice =
    near === undefined
      ? 'Check the spelling of the name, whether its server is running, and whether access rules hide it.'
      : `Did you mean ${near.nearName}, which ${near.server} has?`;
  return problem('notServed', text, advice);
}

/** For a shell. */
function quoted(text: string): string {
  return text.includes(' ') ? `'${text}'` : text;
}
