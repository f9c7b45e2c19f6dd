import { BUNDLED, buildCommand, removeCommand, tandem } from './command';

beforeAll(buildCommand);
afterAll(removeCommand);

describe('tandem inspect', () => {
  test('tells family, sizes, parameters and every tensor of a checkpoint', () => {
    const { status, stdout } = tandem(['inspect', BUNDLED.draft]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/family +t5, relu feed-forward/);
    expect(stdout).toMatch(/parameters +426,816\n/);
    expect(stdout).toMatch(/shared\.weight +BF16 +\[4096, 64\] +524,288 bytes/);
  });

  test('prints one JSON object whose tensors add up to its parameters and bytes', () => {
    const { stdout } = tandem(['inspect', BUNDLED.target, '--json']);
    const found = JSON.parse(stdout) as {
      parameters: number;
      bytes: number;
      tensors: { shape: number[]; bytes: number }[];
    };
    const sizes = found.tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    expect(found.parameters).toBe(22_818_048);
    expect(sizes.reduce((a, b) => a + b)).toBe(found.parameters);
    expect(found.tensors.reduce((total, { bytes }) => total + bytes, 0)).toBe(found.bytes);
  });
});

describe('tandem doctor', () => {
  test('names what auto takes, and every backend with whether it works', () => {
    const found = JSON.parse(tandem(['doctor', '--json']).stdout) as {
      node: string;
      auto: { name: string };
      backends: { name: string; available: boolean; reason: string }[];
    };
    expect(found.node).toBe(process.version);
    const working = found.backends.filter(({ available }) => available).map(({ name }) => name);
    expect(working).toEqual(expect.arrayContaining(['cpu', 'reference', found.auto.name]));
    for (const { reason } of found.backends) expect(reason).not.toBe('');
    expect(tandem(['doctor']).stdout).toMatch(/auto takes +\w+ \(/);
  });
});

describe('tandem', () => {
  test('prints help and version to standard output and succeeds', () => {
    expect(tandem(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(tandem(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('generate'), stderr: '' });
    expect(tandem(['generate', '--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('--gamma') });
  });
});
