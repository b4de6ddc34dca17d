// What does a device look like as PVs? A power supply that ramps to its setpoint, with limits, alarms and a switch.
//
//   npm run example device-simulation
//   npx pvkit put psu:switch On && npx pvkit put psu:setpoint 11      (in another terminal)
//   npx pvkit monitor -r value,alarm psu:voltage
//
// It serves on loopback alone; EPICS_PVAS_INTF_ADDR_LIST names other interfaces. ^C ends it.

import { once } from 'node:events';
import process from 'node:process';
import { resolveServerConfig, Server, SharedPV, valueAlarmOf } from 'pvkit';
import { double, enumLabel, enumValue, ntEnum, ntScalar } from 'pvkit/protocol';

const TICK_MS = 50;

// What clients write. A mailbox takes every put that its type and its control limits allow.
const setpoint = SharedPV.mailbox(ntScalar(double, { display: true, control: true }), {
  control: 'reject',
  initial: {
    value: 0,
    display: { description: 'voltage to go to', units: 'V', limitLow: 0, limitHigh: 12 },
    control: { limitLow: 0, limitHigh: 12 },
  },
});
const rampRate = SharedPV.mailbox(ntScalar(double, { display: true, control: true }), {
  control: 'clip',
  initial: {
    value: 5,
    display: { description: 'how fast to go there', units: 'V/s' },
    control: { limitLow: 0.1, limitHigh: 100 },
  },
});
const powerSwitch = SharedPV.mailbox(ntEnum, { initial: { value: enumValue(['Off', 'On'], 0) } });

// What clients read. There is no put handler, so it is read-only; its alarm follows from its value.
const voltage = new SharedPV(ntScalar(double, { display: true, valueAlarm: true }), {
  limitAlarms: true,
  timeStamps: 'auto',
  initial: {
    value: 0,
    display: { description: 'voltage at the terminals', units: 'V', limitLow: 0, limitHigh: 12 },
    valueAlarm: valueAlarmOf({ highWarning: 9, high: 10.5, hysteresis: 0.2 }),
  },
});

/** One step of the ramp. */
function tick(): void {
  const target = enumLabel(powerSwitch.value.value) === 'On' ? setpoint.value.value : 0;
  const distance = target - voltage.value.value;
  if (distance === 0) return;
  const longest = (rampRate.value.value * TICK_MS) / 1_000;
  const isThere = Math.abs(distance) <= longest;
  voltage.post({ value: isThere ? target : voltage.value.value + Math.sign(distance) * longest });
}

const server = new Server({
  config: resolveServerConfig({ processEnvironment: { EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1', ...process.env } }),
  pvs: {
    'psu:setpoint': setpoint,
    'psu:rampRate': rampRate,
    'psu:switch': powerSwitch,
    'psu:voltage': voltage,
  },
});
await server.listen();
const ticking = setInterval(tick, TICK_MS);
console.log('serving psu:setpoint, psu:rampRate, psu:switch and psu:voltage');

await once(process, 'SIGINT');
clearInterval(ticking);
await server.close();
