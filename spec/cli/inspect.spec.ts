import { BUNDLED, buildCommand, removeCommand, tandem } from './command';
import { inside } from './inside';

describe('tandem inspect', () => {
  it('says family, sizes, parameters and every tensor of a checkpoint', async () => {
    const { status, stdout } = await inside(['inspect', BUNDLED.draft]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^family +t5, relu feed-forward, head scaled$/m);
    expect(stdout).toMatch(/^parameters +426,816$/m);
    expect(stdout).toMatch(/^ {2}shared\.weight +BF16 +\[4096, 64\] +524,288 bytes$/m);
  });

  it('prints one JSON object whose tensors add up to its parameters and bytes', async () => {
    const { stdout } = await inside(['inspect', BUNDLED.target, '--json']);
    const found = JSON.parse(stdout) as {
      parameters: number;
      bytes: number;
      tensors: { shape: number[]; bytes: number; used: boolean }[];
    };
    const sizes = found.tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(found.parameters).toBe(22_818_048);
    expect(sizes.reduce((a, b) => a + b)).toBe(found.parameters);
    expect(found.tensors.reduce((total, { bytes }) => total + bytes, 0)).toBe(found.bytes);
    expect(found.tensors.every(({ used }) => used)).toBe(true);
  });
});

describe('tandem doctor', () => {
  beforeAll(() => buildCommand());
  afterAll(removeCommand);

  it('names what auto takes, and every backend with whether it works', () => {
    const found = JSON.parse(tandem(['doctor', '--json']).stdout) as {
      node: string;
      auto: { name: string };
      backends: { name: string; available: boolean; reason: string }[];
    };
    expect(found.node).toBe(process.version);
    const working = found.backends.filter(({ available }) => available).map(({ name }) => name);
    expect(working).toEqual(expect.arrayContaining(['cpu', 'reference', found.auto.name]));
    for (const { reason } of found.backends) expect(reason).not.toBe('');
    const { stdout } = tandem(['doctor']);
    expect(stdout).toMatch(/^auto takes +\w+ \(/m);
    for (const { name, available } of found.backends) {
      expect(stdout).toMatch(new RegExp(`^backend ${name} +${available ? 'works' : 'does not work'}: `, 'm'));
    }
  });
});

describe('tandem', () => {
  it('prints help and version to standard output and succeeds', async () => {
    expect(await inside(['--version'])).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    for (const args of [
      ['--help'],
      ['help'],
      ['help', 'generate'],
      ['generate', '--help'],
      ['ngram', 'build', '--help'],
    ]) {
      const run = await inside(args);
      expect(run).toMatchObject({ status: 0, stderr: '' });
      expect(run.stdout).toMatch(/^Usage: tandem/);
      if (args[0] !== 'ngram') expect(run.stdout).toContain('generate');
    }
  });
});
