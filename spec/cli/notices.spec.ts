import { printNotice } from '../../cli/notices';
import { screen } from './screen';

describe('a notice', () => {
  it.each([
    ['the hub is busy', 'tandem: the hub is busy\n'],
    ['two\n  lines', 'tandem: two lines\n'],
  ])('%j is one line on standard error', (message, expected) => {
    const shown = screen(false);
    try {
      printNotice({ message } as Parameters<typeof printNotice>[0]);
      expect(shown.written).toEqual([expected]);
    } finally {
      shown.restore();
    }
  });
});
