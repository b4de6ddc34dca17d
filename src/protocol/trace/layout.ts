// What is a layout: the fields of a message body by the names of the specification, for reading?
//
// Layouts are written apart from the decoders of messages/: these name every field and every byte, those give values
// and are fast. A test holds the one against the other over all recorded messages.

import { counted } from '../counted.ts';
import type { DecodeContext } from '../messages/message-module.ts';
import type { NoteTaker } from './notes.ts';

/** Notes the fields of a body; stops where the rest cannot be understood without what was not seen. */
export type BodyLayout = (note: NoteTaker, context: DecodeContext) => void;

/** The bodies of one command. */
export interface CommandLayout {
  readonly fromClient?: BodyLayout;
  readonly fromServer?: BodyLayout;
}

/** Notes an array whose elements have names of their own: a count, and below it the elements. */
export function noteList(
  note: NoteTaker,
  name: string,
  readCount: () => number,
  noteElement: (name: string) => void,
): void {
  note.group(
    name,
    () => {
      const count = readCount();
      return [counted(count, 'element'), count];
    },
    (count) => {
      for (let index = 0; index < count; index++) noteElement(`[${index}]`);
    },
  );
}
