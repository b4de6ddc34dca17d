// Which channel does `--pv NAME=TYPE[:VALUE]` define?
import type { ChannelDefinition } from './channel-definition.ts';
import { parseChannelType, parsePvName } from './channel-type.ts';
import { parseValueText } from './channel-value.ts';
import { quote, right, wrong, type Parsed } from './parsed.ts';

export const PV_FLAG = '--pv';

/** NAME may hold colons, as most PV names do, but no `=`. */
export function parsePvFlag(text: string): Parsed<ChannelDefinition> {
  const equals = text.indexOf('=');
  if (equals < 0) return wrong(`${quote(text)} has no =; expected NAME=TYPE[:VALUE], such as lab:x=double:1.5`);
  const name = parsePvName(text.slice(0, equals));
  if (!name.ok) return wrong(`the name in ${quote(text)} ${name.wrong}`);
  const rest = text.slice(equals + 1);
  // TYPE ends at the first colon that is not inside of an enum's choices.
  const colon = rest.indexOf(':', Math.max(endOfChoices(rest), 0));
  const type = parseChannelType(colon < 0 ? rest : rest.slice(0, colon));
  if (!type.ok) return wrong(`${name.value}: ${type.wrong}`);
  const value = colon < 0 ? undefined : parseValueText(type.value, rest.slice(colon + 1));
  if (value?.ok === false) return wrong(`${name.value}: the value ${value.wrong}`);
  return right({
    name: name.value,
    type: type.value,
    value: value?.value,
    units: undefined,
    description: undefined,
    display: undefined,
    control: undefined,
    alarm: undefined,
    readOnly: false,
    origin: PV_FLAG,
  });
}

function endOfChoices(text: string): number {
  if (text.startsWith('enum(')) return text.indexOf(')');
  return text.startsWith('enum[') ? text.indexOf('"]') : 0;
}
