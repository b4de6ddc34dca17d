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
  [new LocalProtocolError('the writer is closed'), 'LocalProtocolError', 'LOCAL_PROTOCOL', 'the writer is closed'],
  [new RemoteProtocolError('no such command'), 'RemoteProtocolError', 'REMOTE_PROTOCOL', 'no such command'],
  [new TruncatedError('4 bytes are missing', 12), 'TruncatedError', 'TRUNCATED', '4 bytes are missing'],
  [new LimitError('maxBodyBytes', 9n, 5, 'message'), 'LimitError', 'LIMIT', 'message: 9 asked, maxBodyBytes allows 5'],
  [new StatusError('read-only'), 'StatusError', 'STATUS', 'read-only'],
  [new DisconnectedError('the server closed it'), 'DisconnectedError', 'DISCONNECTED', 'the server closed it'],
  [new TimeoutError('no answer within 5 s'), 'TimeoutError', 'TIMEOUT', 'no answer within 5 s'],
])('%s says what it is to people and to programs', (error, name, code, message) => {
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
