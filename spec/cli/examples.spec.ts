import { examplesOf } from '../../cli/examples';

describe('examples in the help of a command', () => {
  it.each(['generate', 'embed', 'ngram build', 'doctor'])(
    'of %s begin with its name, and explain in one column',
    (name) => {
      const [head, ...lines] = examplesOf(name).trim().split('\n');
      expect([head, lines.length > 0]).toEqual(['Examples:', true]);
      expect(lines.some((line) => line.startsWith(`  tandem ${name} `))).toBe(true);
      const starts = lines.map((line) => line.length - (/^ {2}tandem .*? {3,}(?=\S)(.*)$/.exec(line)?.[1].length ?? 0));
      expect(new Set(starts).size).toBe(1);
    },
  );

  it('of a command that has them elsewhere are none', () => {
    expect([examplesOf('batch'), examplesOf('')]).toEqual(['', '']);
  });
});
