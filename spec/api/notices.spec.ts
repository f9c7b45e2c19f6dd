import { giveNotice as inBrowsers } from '../../api/notices.browser';
import { giveNotice } from '../../api/notices.node';
import type { Notice } from '../../api/types';

const RETRY: Notice = { kind: 'retry', message: 'the hub is asked again', pauseMs: 500 };
const OTHERS: readonly Notice[] = [
  { kind: 'costs', message: 'costs were not kept' },
  { kind: 'long-source', message: 'a source is long' },
];

describe('a notice', () => {
  it('comes to who listens, whatever its kind, and then it is no warning', () => {
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const written = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    for (const give of [giveNotice, inBrowsers]) {
      const heard: Notice[] = [];
      for (const notice of [RETRY, ...OTHERS]) give((one) => heard.push(one), notice);
      expect(heard).toEqual([RETRY, ...OTHERS]);
    }
    expect([emitted.mock.calls, written.mock.calls]).toEqual([[], []]);
    jest.restoreAllMocks();
  });

  it('is a warning where nobody listens, unless it tells of another try', () => {
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const written = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    for (const give of [giveNotice, inBrowsers]) for (const notice of [RETRY, ...OTHERS]) give(undefined, notice);
    expect(emitted.mock.calls).toEqual(OTHERS.map(({ message }) => [message, 'TandemWarning']));
    expect(written.mock.calls).toEqual(OTHERS.map(({ message }) => [message]));
    jest.restoreAllMocks();
  });
});
