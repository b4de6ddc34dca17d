// What is wrong, and what can be done about it? Facts of a diagnosis in, sentences out.

import { claims, configuredAnswers, problem, warning, type DiagnosisFacts } from './diagnose-facts.ts';
import { whyNotFound } from './diagnose-reasons.ts';
import type { Finding, NameServerTrial, ServerTrial, Visit } from './diagnose-result.ts';

/** Problems first; none when all is well. */
export function findingsOf(facts: DiagnosisFacts): readonly Finding[] {
  const found = [
    ...ofConfiguration(facts),
    ...facts.nameServers.flatMap((trial) => ofNameServer(trial)),
    ...facts.servers.flatMap((trial) => ofServer(trial, facts)),
    ...ofDuplicates(facts),
    ...ofAnswers(facts),
    ...whyNotFound(facts),
  ];
  return [...found.filter(({ level }) => level === 'problem'), ...found.filter(({ level }) => level !== 'problem')];
}

// --- the configuration -----------------------------------------------------------------------------------------

function ofConfiguration({ config, unknownHosts, searches, udpPort }: DiagnosisFacts): readonly Finding[] {
  const found: Finding[] = [];
  const configured = searches.filter(({ isConfigured }) => isConfigured);
  if (configured.length === 0 && unknownHosts.length === 0 && config.nameServers.length === 0) {
    const what = config.autoAddresses ? 'no network has broadcasts' : 'EPICS_PVA_AUTO_ADDR_LIST is NO';
    const text = `There is nowhere to search: ${what}, EPICS_PVA_ADDR_LIST and EPICS_PVA_NAME_SERVERS are empty.`;
    const advice = 'Name the hosts of the servers in EPICS_PVA_ADDR_LIST; 127.0.0.1 is for servers on this host.';
    found.push(problem('nowhereToSearch', text, advice));
  }
  for (const host of unknownHosts) {
    if (config.nameServers.some((listed) => listed.host === host)) continue;
    const text = `${host}, a host of EPICS_PVA_ADDR_LIST, is not known to this host.`;
    found.push(problem('hostUnknown', text, 'Correct the name, or use the IP address.'));
  }
  for (const { to, errors } of configured) {
    const [error] = errors;
    if (error !== undefined)
      found.push(problem('searchNotSent', `Searches to ${to} do not go out: ${error}.`, adviceOn(error)));
  }
  if (udpPort.state === 'taken') {
    const text = `A program on this host has UDP port ${udpPort.port} for itself: servers here do not hear searches, and no beacon is heard.`;
    const advice = 'End that program, or let it open the port with SO_REUSEADDR.';
    found.push(warning('portTaken', text, advice));
  }
  const hasAnswer = configured.some(({ answers }) => answers.length > 0);
  for (const { to, isListed, kind, answers, errors } of configured) {
    if (!isListed || kind !== 'unicast' || answers.length > 0 || errors.length > 0) continue;
    // If nobody answers at all, that is said once.
    if (!hasAnswer) continue;
    const text = `Nobody answers searches at ${to}, which EPICS_PVA_ADDR_LIST names.`;
    const advice = `Is a server running there, and does its firewall let UDP port ${udpPort.port} in?`;
    found.push(warning('addressSilent', text, advice));
  }
  return found;
}

function adviceOn(error: string): string {
  if (/EACCES|EPERM/u.test(error)) return 'A firewall of this host forbids it.';
  if (/ENETUNREACH|EHOSTUNREACH|ENETDOWN/u.test(error))
    return 'No network of this host leads there: is it up, is a VPN missing?';
  return 'Correct the address in EPICS_PVA_ADDR_LIST.';
}

// --- name servers ----------------------------------------------------------------------------------------------

function ofNameServer({ name, visit }: NameServerTrial): readonly Finding[] {
  const subject = `Name server ${name}`;
  const check = 'EPICS_PVA_NAME_SERVERS has to name host and TCP port of a server that is running; is a tunnel down?';
  if (visit === undefined) {
    return [
      problem(
        'nameServerUnknown',
        `${subject} has a host name that is not known to this host.`,
        'Correct the name in EPICS_PVA_NAME_SERVERS, or use the IP address.',
      ),
    ];
  }
  const { stage, failure, search } = visit;
  if (stage === 'connecting' && isRefusal(failure)) {
    return [problem('nameServerRefused', `${subject} refuses TCP connections.`, check)];
  }
  if (stage === 'connecting' && isSilence(failure)) {
    return [
      problem(
        'nameServerSilent',
        `${subject} does not answer: no TCP connection.`,
        `${check} A firewall may swallow it.`,
      ),
    ];
  }
  if (stage !== 'validated') {
    const text = `${subject} takes TCP connections, but ${stageText(visit)}.`;
    return [problem('nameServerFailed', text, 'Another program may listen on that port.')];
  }
  if (search?.state === 'silent') {
    const text = `${subject} lets us in, but does not answer searches.`;
    const advice = 'Not every server searches by TCP: pvxs, its gateway and pvkit do, pvAccessCPP does not.';
    return [problem('nameServerDeaf', text, advice)];
  }
  return [];
}

// --- servers ---------------------------------------------------------------------------------------------------

function ofServer(trial: ServerTrial, { pvName }: DiagnosisFacts): readonly Finding[] {
  const { server, source, visit, hasPv } = trial;
  // Somebody who was only guessed at has no duties; what it has is told elsewhere.
  if (source === 'guess') return [];
  const claim = hasPv && pvName !== undefined ? `answers searches for ${pvName}` : 'answers searches';
  const found: Finding[] = [];
  const { stage, failure, remark, channel } = visit;
  if (stage === 'connecting' && isRefusal(failure)) {
    const text = `${server} ${claim}, but TCP connections to it are refused.`;
    const advice =
      'The server is ending, a firewall rejects its TCP port, or it is behind address translation (a container) and tells a port that is not passed on.';
    found.push(problem('tcpRefused', text, advice));
  } else if (stage === 'connecting' && isSilence(failure)) {
    const text = `${server} ${claim}, but TCP connections to it are not answered.`;
    const advice =
      'A firewall swallows its TCP port, or the server tells an address that cannot be reached from here: see EPICS_PVAS_INTF_ADDR_LIST there.';
    found.push(problem('tcpSilent', text, advice));
  } else if (stage === 'connecting') {
    found.push(
      problem(
        'tcpFailed',
        `${server} ${claim}, but ${failure?.text ?? 'there is no connection'}.`,
        'Is there a way to that address?',
      ),
    );
  } else if (stage === 'connected') {
    const text = `${server} takes TCP connections, but ${stageText(visit)}.`;
    found.push(
      problem('notGreeted', text, 'The server hangs, or another program has the port: look at its log, restart it.'),
    );
  } else if (stage === 'greeted') {
    const text = `${server} does not let us in: ${stageText(visit)}.`;
    const methods = visit.authMethods.join(', ');
    found.push(
      problem(
        'notValidated',
        text,
        `It offers ${methods === '' ? 'no method' : methods}; its access rules or its log tell more.`,
      ),
    );
  }
  if (remark !== undefined) {
    found.push(warning('credentialsRefused', `${server} ${remark}.`, 'Its access rules may allow less than expected.'));
  }
  if (channel?.state === 'refused') {
    const text = `${server} ${claim}, but refuses the channel: ${channel.reason}`;
    found.push(
      problem(
        'channelRefused',
        sentence(text),
        'The server or its access rules say no: ask who runs it, or look at its log.',
      ),
    );
  }
  if (channel?.state === 'silent' && stage === 'validated') {
    const text = `${server} ${claim}, but does not answer CREATE_CHANNEL.`;
    found.push(problem('channelSilent', text, 'The server hangs: look at its log, restart it.'));
  }
  return found;
}

function isRefusal(failure: Visit['failure']): boolean {
  return failure?.code === 'ECONNREFUSED';
}

/** Time was up, for us or for TCP. */
function isSilence(failure: Visit['failure']): boolean {
  return failure === undefined || failure.code === 'TIMEOUT' || failure.code === 'ETIMEDOUT';
}

function stageText({ stage, failure }: Visit): string {
  if (failure !== undefined) return failure.text;
  return stage === 'connected' ? 'says nothing' : 'CONNECTION_VALIDATED does not come';
}

function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}

// --- answers ---------------------------------------------------------------------------------------------------

function ofDuplicates(facts: DiagnosisFacts): readonly Finding[] {
  const byGuid = new Map(claims(facts).map(({ guid, server }) => [guid, server]));
  if (byGuid.size < 2) return [];
  const servers = [...byGuid].map(([guid, server]) => `${server} (guid 0x${guid})`);
  const text = `${byGuid.size} servers have ${facts.pvName}: ${servers.join(' and ')}.`;
  const advice = 'Clients take the one that answers first, so they see different values: end one, or rename its PV.';
  return [problem('duplicatePv', text, advice)];
}

function ofAnswers(facts: DiagnosisFacts): readonly Finding[] {
  const odd = configuredAnswers(facts).filter(({ server, via }) => isLoopback(server) && !isLoopback(via));
  return [...new Map(odd.map((answer) => [answer.guid, answer])).values()].map(({ server, via }) => {
    const text = `The server at ${via} tells clients to connect to ${server}, which is this host to them.`;
    return warning('loopbackAdvertised', text, 'Let it serve its network: EPICS_PVAS_INTF_ADDR_LIST there.');
  });
}

function isLoopback(server: string): boolean {
  return /^(127\.|\[::1\])/u.test(server);
}
