// What does an error say, and what text does a thing that was thrown have?
import { expect, test } from 'vitest';
import {
  DisconnectedError,
  LimitError,
  LocalProtocolError,
  PvaError,
  reasonOf,
  RemoteProtocolError,
  StatusError,
  TimeoutError,
  TruncatedError,
} from '../../src/protocol/errors.ts';

test.each([
  ['an error', new Error('the pump is off'), 'the pump is off'],
  ['an error of this package', new PvaError('READ_ONLY', 'this PV is read-only'), 'this PV is read-only'],
  ['an error whose message is none', Object.assign(new Error(), { message: 5 }), '5'],
  ['a text', 'no', 'no'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('x'), 'Symbol(x)'],
])('%s', (_, thrown, text) => {
  expect(reasonOf(thrown)).toBe(text);
});

test.each([
  ['without a prototype', Object.create(null)],
  [
    'whose text throws',
    {
      toString() {
        throw new Error('no text');
      },
    },
  ],
])('an object %s has no text, and that is said', (_, thrown) => {
  expect(reasonOf(thrown)).toBe('the reason cannot be put into words');
});

test.each([
  ['LocalProtocolError', () => new LocalProtocolError('it is closed'), 'LOCAL_PROTOCOL', 'it is closed'],
  ['RemoteProtocolError', () => new RemoteProtocolError('no such command'), 'REMOTE_PROTOCOL', 'no such command'],
  ['TruncatedError', () => new TruncatedError('4 bytes are missing', 12), 'TRUNCATED', '4 bytes are missing'],
  ['LimitError', () => new LimitError('maxNodes', 9n, 5, 'type'), 'LIMIT', 'type: 9 asked, maxNodes allows 5'],
  ['StatusError', () => new StatusError('read-only'), 'STATUS', 'read-only'],
  ['DisconnectedError', () => new DisconnectedError('the server closed it'), 'DISCONNECTED', 'the server closed it'],
  ['TimeoutError', () => new TimeoutError('no answer within 5 s'), 'TIMEOUT', 'no answer within 5 s'],
])('%s says what it is to people and to programs', (name, make, code, message) => {
  const error = make();
  expect(error).toBeInstanceOf(PvaError);
  expect(error).toBeInstanceOf(Error);
  expect({ name: error.name, code: error.code, message: error.message }).toEqual({ name, code, message });
  expect(error.fieldPath).toBe('');
  expect('cause' in error).toBe(false);
});

test('an error has what led to it, and where', () => {
  const cause = new Error('ECONNRESET');
  const errors = [
    new PvaError('X', 'x', { cause }),
    new LocalProtocolError('x', { cause }),
    new RemoteProtocolError('x', { cause }),
    new TruncatedError('x', 1, { cause }),
    new DisconnectedError('x', { cause }),
    new TimeoutError('x', { cause }),
  ];
  expect(errors.map((error) => error.cause)).toEqual(errors.map(() => cause));
  expect(new TruncatedError('x', 12).offset).toBe(12);
  const { limit, asked, allowed } = new LimitError('maxNameBytes', 501, 500, 'name');
  expect({ limit, asked, allowed }).toEqual({ limit: 'maxNameBytes', asked: 501, allowed: 500 });
});

test('a refusal without a reason says so, and keeps what the peer told of its cause', () => {
  const error = new StatusError('', 'at record', true);
  expect(error.message).toBe('the peer refused and gave no reason');
  expect([error.callTree, error.isFatal]).toEqual(['at record', true]);
  expect([new StatusError('no').callTree, new StatusError('no').isFatal]).toEqual(['', false]);
});
