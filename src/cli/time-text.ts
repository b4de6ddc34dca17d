// How do points in time read on the command line?

const NS_PER_MS = 1_000_000n;
const MS_PER_SECOND = 1_000n;

/** `2026-11-21 02:00:30.669` in local time, as pvAccess tools print it. */
export function timeText(wallTimeMs: number): string {
  const time = new Date(wallTimeMs);
  if (Number.isNaN(time.getTime())) return '<undefined>';
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${day} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A PV's time stamp: seconds and nanoseconds since 1970. */
export function timeStampText(secondsPastEpoch: bigint, nanoseconds: number): string {
  return timeText(Number(secondsPastEpoch * MS_PER_SECOND + BigInt(nanoseconds) / NS_PER_MS));
}
