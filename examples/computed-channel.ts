// How is a PV made whose value follows from other PVs? `computed` watches them and posts anew when one changes.
//
//   npm run example computed-channel
//   npx pvkit put lab:current 3 && npx pvkit get -r value,alarm lab:power      (in another terminal)
//   npx pvkit put lab:current 11 && npx pvkit get -r value,alarm lab:power     the alarm of an input is handed on
//
// It serves on loopback alone; EPICS_PVAS_INTF_ADDR_LIST names other interfaces. ^C ends it.

import { once } from 'node:events';
import process from 'node:process';
import { computed, resolveServerConfig, Server, SharedPV, valueAlarmOf } from 'pvkit';
import { double, ntScalar } from 'pvkit/protocol';

const voltage = SharedPV.mailbox(ntScalar(double, { display: true }), {
  initial: { value: 12, display: { units: 'V' } },
});
const current = SharedPV.mailbox(ntScalar(double, { display: true, valueAlarm: true }), {
  limitAlarms: true,
  initial: { value: 2, display: { units: 'A' }, valueAlarm: valueAlarmOf({ high: 10 }) },
});

// The inputs are PVs of doubles, so the compiler knows that these are numbers.
const power = computed(
  ntScalar(double, { display: true }),
  { voltage, current },
  (inputs) => inputs.voltage * inputs.current,
  { initial: { display: { units: 'W', description: 'voltage times current' } } },
);
// A computed PV is an input like any other. What the function throws becomes an INVALID alarm; the last value stays.
const resistance = computed(ntScalar(double), { power, current }, (inputs) => {
  if (inputs.current === 0) throw new Error('no current flows');
  return inputs.power / inputs.current ** 2;
});

const server = new Server({
  config: resolveServerConfig({ processEnvironment: { EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1', ...process.env } }),
  pvs: { 'lab:voltage': voltage, 'lab:current': current, 'lab:power': power, 'lab:resistance': resistance },
});
await server.listen();
console.log('serving lab:voltage, lab:current, lab:power and lab:resistance');

await once(process, 'SIGINT');
await server.close();
