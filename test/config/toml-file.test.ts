// The TOML file: what it sets, and every way in which it can be wrong.
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/config/address-list.ts';
import { problemText } from '../../src/config/config-error.ts';
import { parseTomlFile, type FileSettings } from '../../src/config/toml-file.ts';
import { Variables } from '../../src/config/variables.ts';

interface Reading {
  readonly settings: FileSettings | undefined;
  readonly faults: readonly string[];
}

function read(text: string, processEnvironment: Readonly<Record<string, string>> = {}): Reading {
  const faults: string[] = [];
  const settings = parseTomlFile(
    text,
    'lab.toml',
    new Variables({ processEnvironment }, () => expect.unreachable()),
    (problem) => faults.push(problemText(problem)),
  );
  expect(settings === undefined).toBe(faults.length > 0);
  return { settings, faults };
}

const channel = (...lines: readonly string[]): string => ['[[channels]]', 'name = "a"', ...lines].join('\n');

describe('a TOML file', () => {
  it('is refused where it is nested deeper than anything that means something', () => {
    const deep = Array.from({ length: 4_000 }, () => 'a').join('.');
    const { faults } = read(`${deep} = 1`);
    expect(faults).toContain('lab.toml:1: a: is nested deeper than 100 levels');
  });

  it('sets what the design shows, with file and line of each', () => {
    const { settings, faults } = read(`[server]
name = "lab"                  # prefix of the server's own PVs
tcp_port = 5075
msgpack_port = 5080
interfaces = ["127.0.0.1"]

[store]
url = "redis://127.0.0.1:6379/0"

[[channels]]
name = "lab:temperature"
type = "double"
value = 21.5
units = "C"
display = { low = -20, high = 120, precision = 2 }
control = { low = 0, high = 100 }
alarm = { low = 5, low_warning = 10, high_warning = 60, high = 80 }
`);
    expect(faults).toEqual([]);
    expect(settings).toMatchObject({
      name: { value: 'lab', origin: 'lab.toml:2' },
      tcpPort: { value: 5075, origin: 'lab.toml:3' },
      msgpackPort: { value: 5080, origin: 'lab.toml:4' },
      interfaces: { value: [{ host: '127.0.0.1' }], origin: 'lab.toml:5' },
      storeUrl: { value: 'redis://127.0.0.1:6379/0', origin: 'lab.toml:8' },
      udpPort: undefined,
      logLevel: undefined,
    });
    expect(settings?.channels).toEqual([
      {
        name: 'lab:temperature',
        type: { kind: 'scalar', scalar: 'double' },
        value: 21.5,
        units: 'C',
        description: undefined,
        display: { low: -20, high: 120, precision: 2, format: undefined },
        control: { low: 0, high: 100, minStep: undefined },
        alarm: { low: 5, lowWarning: 10, highWarning: 60, high: 80, hysteresis: undefined },
        readOnly: false,
        origin: 'lab.toml:11',
      },
    ]);
  });

  it('sets everything else it knows', () => {
    const { settings, faults } = read(`
server = { udp_port = 0, beacon_addresses = ["10.0.0.255", "10.0.0.255:5076", "10.0.0.255"], auto_beacon = false, ignore_addresses = ["bad.host:1"] }
[limits]
max_body_bytes = 1_000
max_type_nesting = 10
[log]
level = "debug"
[[channels]]
name = "a"
type = "enum(Off|On)"
value = "On"
description = "a switch"
read_only = true
display.format = "%d"
[[channels]]
name = "b"
type = "ulong[]"
value = [0xFFFF_FFFF_FFFF_FFFF,
  1]
control.min_step = 0.5
`);
    expect(faults).toEqual([]);
    expect(settings?.beaconAddresses?.value.map(formatAddress)).toEqual(['10.0.0.255', '10.0.0.255:5076']);
    expect(settings).toMatchObject({
      udpPort: { value: 0, origin: 'lab.toml:2' },
      autoBeacon: { value: false },
      ignoreAddresses: { value: [{ host: 'bad.host', port: 1 }] },
      logLevel: { value: 'debug', origin: 'lab.toml:7' },
      channels: [
        {
          type: { kind: 'enum', choices: ['Off', 'On'] },
          value: 1,
          description: 'a switch',
          readOnly: true,
          display: { format: '%d' },
        },
        {
          type: { kind: 'array', element: 'ulong' },
          value: [18446744073709551615n, 1n],
          control: { minStep: 0.5 },
          origin: 'lab.toml:16',
        },
      ],
    });
    expect([...(settings?.limits ?? [])]).toEqual([
      ['maxBodyBytes', { value: 1000, origin: 'lab.toml:4' }],
      ['maxTypeNesting', { value: 10, origin: 'lab.toml:5' }],
    ]);
  });

  it('may be empty', () => {
    expect(read('').settings?.channels).toEqual([]);
    expect(read('[server]\n[limits]\n[store]\n[log]\n').faults).toEqual([]);
  });
});

describe('an unknown key', () => {
  it.each([
    ['[sever]\n', 'lab.toml:1: sever: is no key of a file; did you mean "server"?'],
    ['\n[server]\ntcp-port = 1', 'lab.toml:3: server.tcp-port: is no key of server; did you mean "tcp_port"?'],
    ['server.tcpPort = 1', 'lab.toml:1: server.tcpPort: is no key of server; did you mean "tcp_port"?'],
    [
      '[server]\nguid = "x"',
      'lab.toml:2: server.guid: is no key of server; expected name, tcp_port, msgpack_port, udp_port, workers, busy_poll, interfaces, beacon_addresses, auto_beacon, ignore_addresses, search_relays, max_memory, default_access',
    ],
    [
      '[limits]\nmax_body_byte = 1',
      'lab.toml:2: limits.max_body_byte: is no key of limits; did you mean "max_body_bytes"?',
    ],
    [
      channel('type = "int"', 'vlaue = 1'),
      'lab.toml:4: channels[0].vlaue: is no key of channels; did you mean "value"?',
    ],
    [
      channel('type = "int"', 'alarm = { low = 1,', '  hgih = 2 }'),
      'lab.toml:5: channels[0].alarm.hgih: is no key of channels.alarm; did you mean "high"?',
    ],
    [
      '__proto__ = 1',
      'lab.toml:1: __proto__: is no key of a file; expected server, limits, store, log, access, channels',
    ],
    ['[log]\n"a b" = 1', 'lab.toml:2: log."a b": is no key of log; expected level, puts'],
  ])('in %j is named with its line', (text, fault) => {
    expect(read(text).faults).toEqual([fault]);
  });
});

describe('a wrong value', () => {
  it.each([
    ['server = 1', 'lab.toml:1: server: is the integer 1; expected a table'],
    [
      '[server]\ntcp_port = "5075"',
      'lab.toml:2: server.tcp_port: is the string "5075"; expected an integer from 0 to 65535',
    ],
    [
      '[server]\ntcp_port = 5075.0',
      'lab.toml:2: server.tcp_port: is the number 5075; expected an integer from 0 to 65535',
    ],
    [
      '[server]\nudp_port = 65536',
      'lab.toml:2: server.udp_port: is the integer 65536; expected an integer from 0 to 65535',
    ],
    [
      '[server]\ninterfaces = "127.0.0.1"',
      'lab.toml:2: server.interfaces: is the string "127.0.0.1"; expected an array',
    ],
    ['[server]\ninterfaces = [\n1]', 'lab.toml:3: server.interfaces[0]: is the integer 1; expected a string'],
    ['[server]\nauto_beacon = 1', 'lab.toml:2: server.auto_beacon: is the integer 1; expected true or false'],
    [
      '[server]\nname = "a b"',
      'lab.toml:2: server.name: "a b" holds white space or control characters; a PV name has none',
    ],
    [
      '[limits]\nmax_links = 0',
      'lab.toml:2: limits.max_links: is the integer 0; expected an integer from 1 to 2147483647',
    ],
    [
      '[limits]\nmax_segment_bytes = 15',
      'lab.toml:2: limits.max_segment_bytes: is the integer 15; expected an integer from 16 to 4294967295',
    ],
    [
      '[limits]\nmax_type_nesting = 1001',
      'lab.toml:2: limits.max_type_nesting: is the integer 1001; expected an integer from 1 to 1000',
    ],
    [
      '[limits]\nmax_datagram_bytes = 1.5',
      'lab.toml:2: limits.max_datagram_bytes: is the number 1.5; expected an integer from 1 to 65536',
    ],
    ['[store]\nurl = 1', 'lab.toml:2: store.url: is the integer 1; expected a string'],
    [
      '[store]\nurl = "http://u:secret@h"',
      'lab.toml:2: store.url: is no store URL; expected memory:, redis://host:port/db or rediss://host:port/db',
    ],
    [
      '[store]\nurl = "here"',
      'lab.toml:2: store.url: is no store URL; expected memory:, redis://host:port/db or rediss://host:port/db',
    ],
    [
      '[store]\nflush_ms = 60001',
      'lab.toml:2: store.flush_ms: is the integer 60001; expected an integer from 0 to 60000',
    ],
    [
      '[log]\nlevel = "loud"',
      'lab.toml:2: log.level: is the string "loud"; expected one of silent, error, warn, info, debug, trace',
    ],
    ['[channels]\nname = "a"', 'lab.toml:1: channels: is a table; expected an array'],
    ['channels = [1]', 'lab.toml:1: channels[0]: is the integer 1; expected a table'],
    ['[[channels]]\ntype = "int"', 'lab.toml:1: channels[0].name: is missing; expected a string'],
    ['[[channels]]\nname = ""\ntype = "int"', 'lab.toml:2: channels[0].name: is empty; expected a PV name'],
    ['[[channels]]\nname = 5\ntype = "int"', 'lab.toml:2: channels[0].name: is the integer 5; expected a string'],
    [channel(), 'lab.toml:1: channels[0].type: is missing; expected a string'],
    [channel('type = 1979-05-27'), 'lab.toml:3: channels[0].type: is a date or time; expected a string'],
    [
      channel('type = "int"', 'value = 1.5'),
      'lab.toml:4: channels[0].value: is the number 1.5; expected an integer (int)',
    ],
    [channel('value = 300', 'type = "ubyte"'), 'lab.toml:3: channels[0].value: is 300; ubyte goes from 0 to 255'],
    [channel('type = "double"', 'units = 1'), 'lab.toml:4: channels[0].units: is the integer 1; expected a string'],
    [
      channel('type = "double"', 'display.precision = -1'),
      'lab.toml:4: channels[0].display.precision: is the integer -1; expected an integer from 0 to 100',
    ],
    [
      channel('type = "double"', 'display.low = inf'),
      'lab.toml:4: channels[0].display.low: is the number Infinity; expected a number',
    ],
    [
      channel('type = "double"', 'value = -1e999'),
      'lab.toml:4: channels[0].value: is too large; a double goes to about 1.8e308',
    ],
    [
      channel('type = "double[]"', 'value = [\n  inf,\n  1_0.5E4_00, # ten\n]'),
      'lab.toml:6: channels[0].value[1]: is too large; a double goes to about 1.8e308',
    ],
    [
      channel('type = "double"', `value = ${'9'.repeat(310)}.0`),
      'lab.toml:4: channels[0].value: is too large; a double goes to about 1.8e308',
    ],
    [
      channel('type = "double"', 'alarm.hysteresis = -1'),
      'lab.toml:4: channels[0].alarm.hysteresis: is the integer -1; expected a number not below 0',
    ],
    [
      channel('type = "double"', 'read_only = "yes"'),
      'lab.toml:4: channels[0].read_only: is the string "yes"; expected true or false',
    ],
  ])('in %j is named with its line and what was expected', (text, fault) => {
    expect(read(text).faults).toEqual([fault]);
  });

  it('is no infinity that says so, and no text that looks like a large number', () => {
    const values = channel('type = "double"', 'value = -inf # less than -1e999', 'units = "1e999"');
    expect(read(values).faults).toEqual([]);
  });

  it('is an address that is none', () => {
    expect(read('[server]\ninterfaces = [\n  "127.0.0.1",\n  "127.0.0.256",\n]').faults[0]).toMatch(
      /^lab\.toml:4: server\.interfaces\[1]: "127\.0\.0\.256" is not an IPv4 address; expected ip\[:port]/,
    );
  });

  it('is a type that is none', () => {
    expect(read(channel('type = "dubble"')).faults[0]).toMatch(
      /^lab\.toml:3: channels\[0]\.type: "dubble" is no type; did you mean "double"\?/,
    );
  });
});

describe('parts that do not fit', () => {
  it.each([
    [
      '[[channels]]\nname="a"\ntype="int"\n[[channels]]\nname="b"\ntype="int"\n[[channels]]\ntype="int"\nname="a"',
      'lab.toml:9: channels[2].name: "a" is the name of the channel on line 2 already',
    ],
    [
      channel('type = "int"', 'display = { low = 5, high = 4 }'),
      'lab.toml:4: channels[0].display.high: is 4, which is less than low with 5',
    ],
    [
      channel('type = "int"', 'control = { high = 0.5, low = 1 }'),
      'lab.toml:4: channels[0].control.high: is 0.5, which is less than low with 1',
    ],
    [
      channel('type = "int"', '[channels.alarm]', 'low = 1', 'high = 9', 'high_warning = 10'),
      'lab.toml:6: channels[0].alarm.high: is 9, which is less than high_warning with 10',
    ],
    [
      channel('type = "string"', 'control.low = 1'),
      'lab.toml:4: channels[0].control: has limits, which a channel of type string cannot have',
    ],
    [
      channel('type = "enum(a|b)"', 'alarm.low = 1'),
      'lab.toml:4: channels[0].alarm: has limits, which a channel of type enum(a|b) cannot have',
    ],
    [
      channel('type = "boolean[]"', 'display.precision = 1'),
      'lab.toml:4: channels[0].display.precision: has no meaning for a channel of type boolean[]',
    ],
    [
      channel('type = "int[]"', 'alarm.low = 1'),
      'lab.toml:4: channels[0].alarm: has limits for one value, but the channel is of type int[]',
    ],
  ])('in %j are named', (text, fault) => {
    expect(read(text).faults).toEqual([fault]);
  });
});

describe('all faults of a file', () => {
  it('are reported at once, in the order of their lines', () => {
    const { faults } = read(`[[channels]]
name = "a"
type = "ubyte"
value = 300
alarm = { low = "x" }
[server]
tcp_port = "x"
nmae = "y"
[store]
url = "\${NOWHERE}"
[[channels]]
name = "a"
`);
    expect(faults).toEqual([
      'lab.toml:4: channels[0].value: is 300; ubyte goes from 0 to 255',
      'lab.toml:5: channels[0].alarm.low: is the string "x"; expected a number',
      'lab.toml:7: server.tcp_port: is the string "x"; expected an integer from 0 to 65535',
      'lab.toml:8: server.nmae: is no key of server; did you mean "name"?',
      'lab.toml:10: store.url: "NOWHERE" is declared nowhere: not in the environment, .env or .env.example',
      'lab.toml:11: channels[1].type: is missing; expected a string',
      'lab.toml:12: channels[1].name: "a" is the name of the channel on line 2 already',
    ]);
  });

  it('are one where the text is no TOML', () => {
    expect(read('[server]\ntcp_port = \n').faults).toEqual(['lab.toml:2: is no TOML at column 12: invalid value']);
    expect(read('a = 1\na = 2').faults).toEqual([
      'lab.toml:2: is no TOML at column 1: trying to redefine an already defined table or value',
    ]);
    expect(read('a = "open').faults[0]).toMatch(/^lab\.toml:1: is no TOML at column \d+: unfinished string$/);
  });
});

describe('a placeholder', () => {
  it('is filled in wherever a string stands', () => {
    const { settings } = read(
      '[server]\nname = "${SITE}-${NAME_2}"\ninterfaces = ["${ADDRESS}"]\n[[channels]]\nname = "${SITE}:x"\ntype = "string[]"\nvalue = ["${EMPTY}", "$$", "$x"]',
      {
        SITE: 'lab',
        NAME_2: '7',
        ADDRESS: '127.0.0.1',
        EMPTY: '',
      },
    );
    expect(settings).toMatchObject({
      name: { value: 'lab-7' },
      interfaces: { value: [{ host: '127.0.0.1' }] },
      channels: [{ name: 'lab:x', value: ['', '$$', '$x'] }],
    });
  });

  it('is escaped with a second dollar sign, and not filled in twice', () => {
    const { settings } = read(channel('type = "string"', 'value = "$${A} ${A}"'), { A: '${B}' });
    expect(settings?.channels[0]?.value).toBe('${A} ${B}');
  });

  it.each([
    ['${NOWHERE}', '"NOWHERE" is declared nowhere: not in the environment, .env or .env.example'],
    ['${}', '${} holds no name; expected letters, digits and _, or $${ for the characters themselves'],
    ['${A B}', '${A B} holds no name; expected letters, digits and _, or $${ for the characters themselves'],
    ['a ${A', '${ is not closed by }; write $${ for the characters themselves'],
    ['${constructor}', '"constructor" is declared nowhere: not in the environment, .env or .env.example'],
  ])('such as %s is refused', (value, message) => {
    expect(read(channel('type = "string"', `units = '${value}'`)).faults).toEqual([
      `lab.toml:4: channels[0].units: ${message}`,
    ]);
  });

  it('that names nothing is the only fault of its string', () => {
    expect(read("[store]\nurl = '${X}'\n[log]\nlevel = '${Y}'").faults).toHaveLength(2);
  });
});
