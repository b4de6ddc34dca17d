// EPICS_PVA* and EPICS_PVAS* variables: what pvxs makes of them (its src/config.cpp and test/testconfig.cpp).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/config/address-list.ts';
import { problemText, type ConfigProblem } from '../../src/config/config-error.ts';
import { parseDotenv } from '../../src/config/dotenv.ts';
import {
  ENVIRONMENT_VARIABLES,
  noticeUnknownVariables,
  readClientEnvironment,
  readServerEnvironment,
  type ClientEnvironment,
  type ServerEnvironment,
} from '../../src/config/environment.ts';
import { Variables } from '../../src/config/variables.ts';

interface Reading<T> {
  readonly found: T;
  readonly faults: readonly string[];
  readonly notices: readonly string[];
}

function readWith<T>(
  processEnvironment: Readonly<Record<string, string>>,
  read: (variables: Variables, report: (problem: ConfigProblem) => void, notice: (problem: ConfigProblem) => void) => T,
): Reading<T> {
  const faults: string[] = [];
  const notices: string[] = [];
  const report = (problem: ConfigProblem): number => faults.push(problemText(problem));
  const found = read(new Variables({ processEnvironment }, report), report, (problem) =>
    notices.push(problemText(problem)),
  );
  return { found, faults, notices };
}

function server(environment: Readonly<Record<string, string>>): Reading<ServerEnvironment> {
  return readWith(environment, readServerEnvironment);
}

function client(environment: Readonly<Record<string, string>>): Reading<ClientEnvironment> {
  return readWith(environment, readClientEnvironment);
}

describe("a server's environment", () => {
  it('sets nothing when nothing is set', () => {
    const { found, faults } = server({});
    expect(Object.values(found).every((value) => value === undefined)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('is read from EPICS_PVAS_* with its origins', () => {
    const { found, faults } = server({
      EPICS_PVAS_SERVER_PORT: '5678',
      EPICS_PVAS_BROADCAST_PORT: '1234',
      EPICS_PVAS_INTF_ADDR_LIST: '1.2.3.4 1.1.1.1:5678',
      EPICS_PVAS_BEACON_ADDR_LIST: '1.2.1.2 4.3.2.1:1234',
      EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'no',
      EPICS_PVAS_IGNORE_ADDR_LIST: '10.0.0.9 10.0.0.8:77 10.0.0.7:0',
      EPICS_PVA_CONN_TMO: '60',
      EPICS_PVAS_BEACON_PERIOD: '2.5',
    });
    expect(faults).toEqual([]);
    expect(found.tcpPort).toEqual({ value: 5678, origin: 'EPICS_PVAS_SERVER_PORT' });
    expect(found.udpPort).toEqual({ value: 1234, origin: 'EPICS_PVAS_BROADCAST_PORT' });
    expect(found.interfaces?.value.map(formatAddress)).toEqual(['1.2.3.4', '1.1.1.1:5678']);
    expect(found.beaconAddresses?.value.map(formatAddress)).toEqual(['1.2.1.2', '4.3.2.1:1234']);
    expect(found.autoBeacon).toEqual({ value: false, origin: 'EPICS_PVAS_AUTO_BEACON_ADDR_LIST' });
    expect(found.ignoreAddresses?.value.map((sender) => sender.port)).toEqual([undefined, 77, undefined]);
    expect(found.connectionTimeoutMs?.value).toBe(80_000);
    expect(found.beaconPeriodMs?.value).toBe(2_500);
  });

  it('falls back to EPICS_PVA_*', () => {
    const { found } = server({
      EPICS_PVA_SERVER_PORT: '6000',
      EPICS_PVA_BROADCAST_PORT: '6001',
      EPICS_PVA_ADDR_LIST: '10.0.0.255',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_BEACON_PERIOD: '1',
    });
    expect(found.tcpPort).toEqual({ value: 6000, origin: 'EPICS_PVA_SERVER_PORT' });
    expect(found.udpPort).toEqual({ value: 6001, origin: 'EPICS_PVA_BROADCAST_PORT' });
    expect(found.beaconAddresses?.value.map(formatAddress)).toEqual(['10.0.0.255']);
    expect(found.beaconAddresses?.origin).toBe('EPICS_PVA_ADDR_LIST');
    expect(found.autoBeacon).toEqual({ value: false, origin: 'EPICS_PVA_AUTO_ADDR_LIST' });
    expect(found.beaconPeriodMs?.value).toBe(1_000);
  });

  it('prefers EPICS_PVAS_*, an empty list too, which means no addresses', () => {
    const { found } = server({
      EPICS_PVA_SERVER_PORT: '6000',
      EPICS_PVAS_SERVER_PORT: '7000',
      EPICS_PVA_ADDR_LIST: '10.0.0.255',
      EPICS_PVAS_BEACON_ADDR_LIST: '',
    });
    expect(found.tcpPort?.value).toBe(7000);
    expect(found.beaconAddresses).toEqual({ value: [], origin: 'EPICS_PVAS_BEACON_ADDR_LIST' });
  });

  it("does not read a client's interfaces", () => {
    expect(server({ EPICS_PVA_INTF_ADDR_LIST: '1.2.3.4' }).found.interfaces).toBeUndefined();
  });

  it('takes port 0 as a free port, and an empty port as none given', () => {
    expect(server({ EPICS_PVAS_SERVER_PORT: '0', EPICS_PVA_BROADCAST_PORT: '0' }).found).toMatchObject({
      tcpPort: { value: 0 },
      udpPort: { value: 0 },
    });
    expect(server({ EPICS_PVAS_SERVER_PORT: ' ', EPICS_PVA_SERVER_PORT: '6000' }).found.tcpPort?.value).toBe(6000);
  });

  it('takes ports in hex and with blanks around, as pvxs does', () => {
    expect(server({ EPICS_PVAS_SERVER_PORT: ' 0x13d3 ' }).found.tcpPort?.value).toBe(5075);
  });

  it.each([
    ['YES', true],
    ['yes', true],
    ['1', true],
    ['NO', false],
    ['No', false],
    ['0', false],
  ])('reads %s as %s', (text, value) => {
    expect(server({ EPICS_PVAS_AUTO_BEACON_ADDR_LIST: text }).found.autoBeacon?.value).toBe(value);
  });

  it.each([
    ['30', 40_000],
    ['1', 2_000],
    ['0.001', 2_000],
    ['0', 40_000],
    ['1e1', 13_333],
  ])('makes %s seconds of EPICS_PVA_CONN_TMO a timeout of %i ms', (text, value) => {
    expect(server({ EPICS_PVA_CONN_TMO: text }).found.connectionTimeoutMs?.value).toBe(value);
  });

  it.each([
    ['EPICS_PVAS_SERVER_PORT', 'abc', '"abc" is not a port; expected a number from 0 to 65535'],
    ['EPICS_PVA_SERVER_PORT', '65536', '"65536" is not a port; expected a number from 0 to 65535'],
    ['EPICS_PVAS_BROADCAST_PORT', '-1', '"-1" is not a port; expected a number from 0 to 65535'],
    ['EPICS_PVA_BROADCAST_PORT', '05076', '"05076" is not a port; expected a number from 0 to 65535'],
    ['EPICS_PVAS_AUTO_BEACON_ADDR_LIST', 'true', '"true" is not a yes or no; expected YES, NO, 1 or 0'],
    ['EPICS_PVA_CONN_TMO', '-1', '"-1" is not a time; expected seconds from 0 to 1600000'],
    ['EPICS_PVA_CONN_TMO', 'nan', '"nan" is not a time; expected seconds from 0 to 1600000'],
    ['EPICS_PVA_CONN_TMO', '1e9', '"1e9" is not a time; expected seconds from 0 to 1600000'],
    ['EPICS_PVAS_BEACON_PERIOD', '0', '"0" is not a time; expected seconds from 0.1 to 86400'],
  ])('refuses %s=%s', (name, text, message) => {
    expect(server({ [name]: text }).faults).toEqual([`${name}: ${message}`]);
  });

  it('refuses digits without end that are no number as fast as it reads them', () => {
    const { faults } = server({ EPICS_PVA_CONN_TMO: `${'1'.repeat(500_000)}x` });
    expect(faults).toEqual([expect.stringContaining('is not a time; expected seconds')]);
  });

  it('refuses a wrong address with the name of its variable', () => {
    const { faults } = server({ EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1 127.0.0.256' });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(
      /^EPICS_PVAS_INTF_ADDR_LIST: "127\.0\.0\.256" is not an IPv4 address; expected ip\[:port]/,
    );
  });

  it('names file and line where a variable came from .env', () => {
    const faults: string[] = [];
    const report = (problem: ConfigProblem): number => faults.push(problemText(problem));
    const dotenv = [{ file: '.env', text: '# ports\nEPICS_PVA_SERVER_PORT=x\nEPICS_PVAS_INTF_ADDR_LIST="[::1"' }];
    readServerEnvironment(new Variables({ processEnvironment: {}, dotenv }, report), report);
    expect(faults[0]).toMatch(/^\.env:2: EPICS_PVA_SERVER_PORT: "x" is not a port/);
    expect(faults[1]).toMatch(/^\.env:3: EPICS_PVAS_INTF_ADDR_LIST: "\[::1" has brackets/);
  });
});

describe("a client's environment", () => {
  it('is read from EPICS_PVA_*', () => {
    const { found, faults, notices } = client({
      EPICS_PVA_ADDR_LIST: '  1.2.3.4  5.6.7.8:9876  ',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_BROADCAST_PORT: '1234',
      EPICS_PVA_SERVER_PORT: '5678',
      EPICS_PVA_NAME_SERVERS: 'gateway.lab:5085 10.0.0.1',
      EPICS_PVA_INTF_ADDR_LIST: '1.1.1.1',
      EPICS_PVA_CONN_TMO: '30',
    });
    expect([faults, notices]).toEqual([[], []]);
    expect(found.addresses?.value.map(formatAddress)).toEqual(['1.2.3.4', '5.6.7.8:9876']);
    expect(found.autoAddresses?.value).toBe(false);
    expect([found.udpPort?.value, found.tcpPort?.value]).toEqual([1234, 5678]);
    expect(found.nameServers?.value.map(formatAddress)).toEqual(['gateway.lab:5085', '10.0.0.1']);
    expect(found.interfaces?.value.map(formatAddress)).toEqual(['1.1.1.1']);
    expect(found.connectionTimeoutMs?.value).toBe(40_000);
  });

  it('reads of EPICS_PVAS_* only the server port, as a fallback', () => {
    const { found } = client({
      EPICS_PVAS_SERVER_PORT: '6000',
      EPICS_PVAS_BROADCAST_PORT: '6001',
      EPICS_PVAS_INTF_ADDR_LIST: '1.1.1.1',
    });
    expect(found.tcpPort).toEqual({ value: 6000, origin: 'EPICS_PVAS_SERVER_PORT' });
    expect([found.udpPort, found.interfaces]).toEqual([undefined, undefined]);
  });

  it('ignores port 0 with a notice', () => {
    const { found, faults, notices } = client({ EPICS_PVA_BROADCAST_PORT: '0', EPICS_PVA_SERVER_PORT: '0' });
    expect([found.udpPort, found.tcpPort, faults]).toEqual([undefined, undefined, []]);
    expect(notices).toEqual([
      'EPICS_PVA_SERVER_PORT: 0 is ignored; a client needs the port its servers use',
      'EPICS_PVA_BROADCAST_PORT: 0 is ignored; a client needs the port its servers use',
    ]);
  });
});

describe('a variable with the prefix of EPICS', () => {
  function notices(environment: Readonly<Record<string, string>>): readonly string[] {
    return readWith(environment, (variables, _report, notice) => noticeUnknownVariables(variables, notice)).notices;
  }

  it('is noticed when nobody knows it', () => {
    expect(notices({ EPICS_PVA_ADR_LIST: '1.2.3.4', EPICS_PVAS_NONSENSE_AND_MORE: '' })).toEqual([
      'EPICS_PVA_ADR_LIST: is no variable that pvkit knows; did you mean "EPICS_PVA_ADDR_LIST"?',
      'EPICS_PVAS_NONSENSE_AND_MORE: is no variable that pvkit knows',
    ]);
  });

  it('is fine when it is one of another implementation, or of Channel Access', () => {
    expect(
      notices({
        EPICS_PVA_TLS_KEYCHAIN: 'x',
        EPICS_PVAS_PROVIDER_NAMES: 'local',
        EPICS_PVA_MAX_ARRAY_BYTES: '9',
        EPICS_CA_ADDR_LIST: '',
      }),
    ).toEqual([]);
  });
});

describe('.env.example', () => {
  const declared = parseDotenv(
    readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'),
    '.env.example',
    (problem) => expect.unreachable(problemText(problem)),
  );

  it('declares every variable with its default; empty where another variable is the default', () => {
    const expected = new Map(
      ENVIRONMENT_VARIABLES.map(({ name, byDefault, fallback }) => [name, fallback === undefined ? byDefault : '']),
    );
    expect(new Map([...declared].map(([name, { value }]) => [name, value]))).toEqual(expected);
  });

  it('changes nothing when it is copied to .env', () => {
    const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
    const report = (problem: ConfigProblem): never => expect.unreachable(problemText(problem));
    const variables = new Variables(
      { processEnvironment: { EPICS_PVA_SERVER_PORT: '6000' }, dotenv: [{ file: '.env', text }] },
      report,
    );
    expect(readServerEnvironment(variables, report).tcpPort).toEqual({ value: 6000, origin: 'EPICS_PVA_SERVER_PORT' });
  });
});
