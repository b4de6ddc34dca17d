// Does a listener of notices that throws harm anybody but itself?

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NoticeBoard as ClientBoard } from '../../src/client/notices.ts';
import { NoticeBoard as ServerBoard } from '../../src/server/notices.ts';
import { makeWorld } from '../support/server-world.ts';

/** The texts that come over a diagnostics channel while a test runs. */
function published(name: string): string[] {
  const texts: string[] = [];
  const listener = (notice: unknown): void => void texts.push((notice as { text: string }).text); // untyped by Node.js
  subscribe(name, listener);
  onTestFinished(() => void unsubscribe(name, listener));
  return texts;
}

const FAILURE = 'a listener of notices threw: disk full';

describe.each([
  ['server', 'pvkit:server', () => new ServerBoard(), { kind: 'closed', level: 'info', text: 'news' }],
  ['client', 'pvkit:client', () => new ClientBoard(), { kind: 'serverLost', level: 'info', text: 'news' }],
] as const)('the notices of a %s', (_who, name, make, notice) => {
  // Each board has notices of its own; these two fit theirs.
  const makeBoard = make as () => ServerBoard;
  const news = notice as { kind: 'closed'; level: 'info'; text: string };

  test('reach all listeners when one throws, and its fault is told once', () => {
    const onDiagnostics = published(name);
    const board = makeBoard();
    const heard: string[] = [];
    let calls = 0;
    board.listen(() => {
      calls++;
      throw new Error('disk full');
    });
    board.listen(({ text }) => heard.push(text));
    board.publish(news);
    board.publish(news);
    expect(heard.toSorted()).toEqual([FAILURE, 'news', 'news']);
    expect(onDiagnostics.toSorted()).toEqual([FAILURE, 'news', 'news']);
    expect(calls).toBe(3);
  });

  test('do not end the process when a listener is asynchronous and rejects', async () => {
    const onDiagnostics = published(name);
    const board = makeBoard();
    const rejecting = (): unknown => Promise.reject(new Error('disk full'));
    board.listen(rejecting);
    board.publish(news);
    // A rejection that nobody took would fail the run.
    await new Promise((resolve) => setImmediate(resolve));
    expect(onDiagnostics).toEqual(['news', FAILURE]);
  });

  test('end when all listeners throw', () => {
    const onDiagnostics = published(name);
    const board = makeBoard();
    for (let listener = 0; listener < 3; listener++) {
      board.listen(() => {
        throw new Error('disk full');
      });
    }
    board.publish(news);
    expect(onDiagnostics).toEqual(['news', FAILURE, FAILURE, FAILURE]);
  });
});

test('a server whose listener throws takes connections like any other', async () => {
  const world = await makeWorld({
    onNotice: () => {
      throw new Error('disk full');
    },
  });
  const client = await world.validated();
  expect(client.isClosed).toBe(false);
});
