// How is a service made that clients call with arguments? A calculator: one PV with a call handler.
//
//   npm run example calculator-rpc
//   npx pvkit call calc op=divide lhs=10 rhs=4      (in another terminal)
//   npx pvkit call calc op=divide lhs=10 rhs=0      what the handler throws is the client's answer
//   npx pvkit monitor -r value calc                 it is a PV, too: the last result
//
// It serves on loopback alone; EPICS_PVAS_INTF_ADDR_LIST names other interfaces. ^C ends it.

import { once } from 'node:events';
import process from 'node:process';
import { resolveServerConfig, Server, SharedPV, type CallRequest } from 'pvkit';
import { double, ntScalar, type AnyValue } from 'pvkit/protocol';

const OPERATIONS = new Map<string, (lhs: number, rhs: number) => number>([
  ['add', (lhs, rhs) => lhs + rhs],
  ['subtract', (lhs, rhs) => lhs - rhs],
  ['multiply', (lhs, rhs) => lhs * rhs],
  ['divide', (lhs, rhs) => lhs / rhs],
]);

const resultType = ntScalar(double);
const calculator = new SharedPV(resultType, {
  timeStamps: 'auto',
  initial: { value: 0 },
  // A handler may be asynchronous; `call.signal` aborts when nobody waits for the answer any more.
  onCall: (call, pv): AnyValue => {
    pv.post({ value: calculate(call) });
    console.log(`${call.peer.user} asked, the answer is ${pv.value.value}`);
    return { type: resultType, value: pv.value };
  },
});

function calculate({ argument }: CallRequest): number {
  // Clients send the arguments as the query of an NTURI; some send them as a structure by itself.
  const sent = fieldsOf(argument?.value);
  const { op, lhs, rhs } = fieldsOf(sent['query'] ?? sent);
  const operation = OPERATIONS.get(String(op));
  if (operation === undefined)
    throw new Error(`op is ${String(op)}, one of ${[...OPERATIONS.keys()].join(', ')} expected`);
  const result = operation(numberOf('lhs', lhs), numberOf('rhs', rhs));
  if (!Number.isFinite(result)) throw new Error(`${String(op)} has no result for ${String(lhs)} and ${String(rhs)}`);
  return result;
}

/** Some clients send every argument as a text. */
function numberOf(name: string, given: unknown): number {
  const number = typeof given === 'number' || (typeof given === 'string' && given !== '') ? Number(given) : Number.NaN;
  if (Number.isNaN(number)) throw new Error(`${name} is not a number, such as ${name}=2.5`);
  return number;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const server = new Server({
  config: resolveServerConfig({ processEnvironment: { EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1', ...process.env } }),
  pvs: { calc: calculator },
});
await server.listen();
console.log('serving calc');

await once(process, 'SIGINT');
await server.close();
