// What does a client look like whose values the compiler knows? Types are given once, and every value has its fields.
//
//   npm start                         (the demo PVs; leave it running)
//   npm run example typed-client      (in another terminal)
//
// It searches on loopback alone; EPICS_PVA_ADDR_LIST names other places. ^C ends it.

import process from 'node:process';
import { Context, resolveClientConfig } from 'pvkit';
import { double, enumLabel, long, ntEnum, ntScalar, ntScalarArray, structure } from 'pvkit/protocol';

const processEnvironment = { EPICS_PVA_ADDR_LIST: '127.0.0.1', EPICS_PVA_AUTO_ADDR_LIST: 'NO', ...process.env };
const context = new Context({ config: resolveClientConfig({ processEnvironment }) });

// A PV may have more fields than the type names; one that lacks a field, or has it of another type, is an error.
const setpointType = ntScalar(double, { display: true, control: true });

// Change a word below and the compiler says what is wrong: `display.unit`, `value.toUpperCase()`.
const { value, display, control } = await context.get('demo:setpoint', { type: setpointType });
console.log(`setpoint ${value.toFixed(2)} ${display.units} within ${control.limitLow} to ${control.limitHigh}`);

const state = await context.get('demo:enum', { type: ntEnum });
console.log(`state ${enumLabel(state.value) ?? 'unknown'}, one of ${state.value.choices.join(', ')}`);

// Arrays of numbers are typed arrays, 64-bit integers are bigints: nothing is lost.
const waveform = await context.get('demo:waveform', { type: ntScalarArray(double) });
console.log(`waveform of ${waveform.value.length} points in ${waveform.value.byteLength} bytes`);
const counts = await context.get('demo:int64', { type: ntScalar(long) });
console.log(`counts ${counts.value + 1n}`);

// Any other structure is spelled out.
const positionType = structure({ position: structure({ x: double, y: double }) });
const { position } = await context.get('demo:struct', { type: positionType });
console.log(`height ${position.y} mm`);

// Writing: a patch, or a function of the present value.
await context.put('demo:setpoint', { value: 42 });

const monitor = context.monitor('demo:setpoint', { type: setpointType });
process.once('SIGINT', () => void monitor.close());
for await (const update of monitor) console.log(`now ${update.value.value} ${update.value.display.units}`);
await context.close();
