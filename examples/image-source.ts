// How are images served? A camera as areaDetector would show it: an NTNDArray, taken only while somebody watches.
//
//   npm run example image-source
//   npx pvkit monitor -r uniqueId,dimension camera:image      (in another terminal; or any image viewer of EPICS)
//   npx pvkit put camera:exposure 0.2                         darker
//
// It serves on loopback alone; EPICS_PVAS_INTF_ADDR_LIST names other interfaces. ^C ends it.

import { once } from 'node:events';
import process from 'node:process';
import { resolveServerConfig, Server, SharedPV } from 'pvkit';
import { double, imageValue, ntNdArray, ntScalar, timeStamp } from 'pvkit/protocol';

const WIDTH = 320;
const HEIGHT = 240;
const FRAME_MS = 100;
/** Pixels from the centre of the spot to where it has a third of its brightness. */
const SPOT_RADIUS = 40;

const exposure = SharedPV.mailbox(ntScalar(double, { display: true, control: true }), {
  control: 'clip',
  initial: { value: 1, display: { units: 's' }, control: { limitLow: 0, limitHigh: 1 } },
});

let frameCount = 0;
let exposing: NodeJS.Timeout | undefined;

const image = new SharedPV(ntNdArray, {
  // Who only reads gets the last frame; here the first one is taken before anybody asks.
  initial: takeFrame(),
  onFirstSubscriber: (pv) => {
    console.log('somebody watches');
    exposing = setInterval(() => pv.post(takeFrame()), FRAME_MS);
  },
  onLastUnsubscribe: () => {
    console.log('nobody watches');
    clearInterval(exposing);
  },
});

/** A spot of light that goes round. A frame is not copied on its way out: each has an array of its own. */
function takeFrame() {
  const turn = frameCount / 10;
  const centreX = WIDTH / 2 + (WIDTH / 4) * Math.cos(turn);
  const centreY = HEIGHT / 2 + (HEIGHT / 4) * Math.sin(turn);
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  for (let index = 0; index < pixels.length; index++) {
    const distance = Math.hypot((index % WIDTH) - centreX, Math.floor(index / WIDTH) - centreY) / SPOT_RADIUS;
    pixels[index] = Math.round(255 * exposure.value.value * Math.exp(-distance * distance));
  }
  return imageValue(WIDTH, HEIGHT, pixels, { uniqueId: frameCount++, timeStamp: timeStamp(Date.now()) });
}

const server = new Server({
  config: resolveServerConfig({ processEnvironment: { EPICS_PVAS_INTF_ADDR_LIST: '127.0.0.1', ...process.env } }),
  pvs: { 'camera:image': image, 'camera:exposure': exposure },
});
await server.listen();
console.log('serving camera:image and camera:exposure');

await once(process, 'SIGINT');
clearInterval(exposing);
await server.close();
