import { Tandem } from '../../api';
import { inside, keepModels } from './inside';

keepModels();

const objects = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('tandem embed', () => {
  it('prints the vector of each line in its place; a line that fails says so, and blank lines keep their numbers', async () => {
    const input = 'Jesus wept.\n\nThou art the man.\n';
    const run = await inside(['embed', '--pooling', 'mean', '--normalize'], { input });
    expect([run.status, run.stderr]).toEqual([0, '']);
    const tandem = await Tandem.load(undefined, { draft: null });
    const texts = ['Jesus wept.', 'Thou art the man.'];
    const vectors = await tandem.embed(texts, { pooling: 'mean', normalize: true });
    expect(objects(run.stdout)).toEqual(
      texts.map((text, i) => ({ index: i, line: [1, 3][i], input: text, embedding: Array.from(vectors[i]) })),
    );
    const broken = await inside(['embed'], { input: Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a]) });
    expect(broken.status).toBe(1);
    const outcomes = objects(broken.stdout).map(({ line, embedding, error }) => [line, !!embedding, !!error]);
    expect(outcomes).toEqual([
      [1, true, false],
      [2, false, true],
      [3, true, false],
    ]);
    expect(objects((await inside(['embed', '--ids', '99999,1'])).stdout)[0].error.code).toBe('source-invalid');
  });
});

describe('tandem score', () => {
  it('prints what the targets score, in their order', async () => {
    const targets = ['You are the man.', 'No, never.'];
    const flags = targets.flatMap((target) => ['--target', target]);
    const run = await inside(['score', 'Thou art the man.', ...flags, '--log-probs', '1']);
    expect([run.status, run.stderr]).toEqual([0, '']);
    const tandem = await Tandem.load(undefined, { draft: null });
    const scores = await tandem.score('Thou art the man.', targets, { logProbs: 1 });
    expect(objects(run.stdout)).toEqual(scores.map((score, i) => ({ target: targets[i], ...score })));
    expect(scores[0].logProb).toBeGreaterThan(scores[1].logProb);
  });
});

describe('what is wrong', () => {
  it.each([
    [['score', 'abc'], 2, /score: expected --target <text>, found none/],
    [['score', 'abc', '--target', ''], 2, /--target: expected texts, none of them empty/],
    [['score'], 2, /missing required argument 'source'/],
    [['embed', 'a', '--pooling', 'sum'], 2, /--pooling: expected one of auto, mean, none, found 'sum'/],
    [['embed', 'a', '--ids', '1'], 2, /expected one source of input, found TEXT and --ids/],
    [['embed', 'a', '--draft', 'copy'], 2, /unknown option '--draft'/],
    [['embed', 'a', '--model', './no/such/folder'], 1, /no\/such\/folder/],
  ] as const)('%j is one line', async (args, status, message) => {
    const run = await inside([...args]);
    expect([run.status, run.stdout]).toEqual([status, '']);
    expect(run.stderr).toMatch(message);
  });
});
