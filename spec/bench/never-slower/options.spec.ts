import { parseOptions } from '../../../bench/never-slower/options';

describe('the options of never-slower', () => {
  it('are 9 rounds or more, up to 40, to 1.5 %', () => {
    expect(parseOptions([]).rounds).toEqual({ least: 9, most: 40, precision: 0.015 });
    const given = [
      '--rounds',
      '3',
      '--most-rounds',
      '3',
      '--precision',
      '0.2',
      '--threads',
      '1,8',
      '--temperatures',
      '0.7',
    ];
    const { rounds, threads, temperatures } = parseOptions(given);
    expect({ rounds, threads, temperatures }).toEqual({
      rounds: { least: 3, most: 3, precision: 0.2 },
      threads: [1, 8],
      temperatures: [0.7],
    });
  });

  it.each([
    [['--precision', '0'], '--precision: expected a number above 0 and below 1, found 0'],
    [['--precision', '1'], '--precision: expected a number above 0 and below 1, found 1'],
    [['--precision', '1.5%'], '--precision: expected a number above 0 and below 1, found 1.5%'],
    [['--rounds', '0'], '--rounds: expected a whole number from 1 up, found 0'],
    [['--most-rounds', 'many'], '--most-rounds: expected a whole number from 1 up, found many'],
    [['--most-rounds', '8'], '--most-rounds: expected --rounds (9) or more, found 8'],
    [['--passages', '1.5'], '--passages: expected a whole number from 1 up, found 1.5'],
    [['--tokens', ''], '--tokens: expected a whole number from 1 up, found nothing'],
    [['--threads', '1,0'], '--threads: expected a whole number from 1 up, found 0'],
    [['--temperatures', '0,hot'], '--temperatures: expected numbers from 0 up, found hot'],
    [['--temperatures=-1'], '--temperatures: expected numbers from 0 up, found -1'],
    [['--dtypes', 'f32,f8'], '--dtypes: expected some of '],
  ])('%j are refused in one line, by name', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(`never-slower: ${message}`);
    expect(() => parseOptions(argv)).toThrow(/^[^\n]+$/);
  });
});
