// How are the PVs of one network shown in another? A bridge: a client on one side, a server on the other.
//
//   npm start                                                 (the demo PVs; leave it running)
//   npm run example bridge demo:sine demo:setpoint demo:add   (in another terminal)
//   npx pvkit monitor mirror:demo:sine                        (in a third one)
//   npx pvkit put mirror:demo:setpoint 42                     arrives at demo:setpoint
//
// When the server behind it goes away, so do the mirrored PVs: their clients see that they are disconnected. EPICS_PVA_*
// variables say where the client side searches, EPICS_PVAS_* where the server side serves; loopback unless set. ^C ends it.

import { once } from 'node:events';
import process from 'node:process';
import {
  Context,
  resolveClientConfig,
  resolveServerConfig,
  Server,
  SharedPV,
  type Monitor,
  type MonitorEvent,
  type PutRequest,
} from 'pvkit';
import { fieldPaths, reasonOf, type StructureType } from 'pvkit/protocol';

const PREFIX = 'mirror:';
const processEnvironment = {
  EPICS_PVA_ADDR_LIST: '127.0.0.1',
  EPICS_PVA_AUTO_ADDR_LIST: 'NO',
  EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1',
  ...process.env,
};
const context = new Context({ config: resolveClientConfig({ processEnvironment }) });
const server = new Server({ config: resolveServerConfig({ processEnvironment }) });

/** Serves a PV as long as it is there, until its monitor ends. */
async function mirror(monitor: Monitor<MonitorEvent>): Promise<void> {
  const mirrored = PREFIX + monitor.pvName;
  let pv: SharedPV | undefined;
  const end = (why: string): void => {
    if (pv === undefined) return;
    server.remove(mirrored);
    pv.close();
    pv = undefined;
    console.log(`${mirrored} ends: ${why}`);
  };
  try {
    for await (const event of monitor) {
      if (event.kind === 'disconnected') end(event.reason);
      if (event.kind !== 'update') continue;
      if (pv === undefined) {
        pv = mirrorOf(monitor.pvName, event.type);
        server.add(mirrored, pv);
        console.log(`${mirrored} is ${monitor.pvName} of ${event.server}`);
      }
      // An update says which fields it carries: exactly these are told on.
      pv.post(event);
    }
    end('the bridge stops');
  } catch (thrown) {
    end(reasonOf(thrown));
  }
}

/** Its value comes through the monitor alone, so that clients see what the device made of their put. */
function mirrorOf(pvName: string, type: StructureType): SharedPV {
  return new SharedPV(type, {
    onPut: (put) => context.put(pvName, patchOf(put, type), { signal: put.signal }),
    onCall: (call) => context.rpc(pvName, call.argument, { signal: call.signal }),
  });
}

/** The fields that the client put, by their paths, and no others: `{ 'value': 42 }`, `{ 'display.units': 'V' }`. */
function patchOf({ changed, value }: PutRequest, type: StructureType): Record<string, unknown> {
  return Object.fromEntries(fieldPaths(type, changed).map((path) => [path, path.split('.').reduce(fieldOf, value)]));
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

const pvNames = process.argv.slice(2);
if (pvNames.length === 0) throw new Error('names of PVs to mirror expected, such as demo:sine demo:setpoint');

await server.listen();
const monitors = pvNames.map((pvName) => context.monitor(pvName, { events: true }));
const mirrors = monitors.map(mirror);
console.log(`mirroring ${pvNames.join(', ')}`);

await once(process, 'SIGINT');
for (const monitor of monitors) await monitor.close();
await Promise.all(mirrors);
await server.close();
await context.close();
