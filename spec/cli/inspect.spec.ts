import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goldenBytes } from '../support/golden-files.node';
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

describe('what tandem inspect says of what a checkpoint states', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-inspect-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A checkpoint of the golden's weights. Null in place of generation_config.json: there is none. */
  function checkpoint(name: string, config: object, generation: object | null, weights = 'model'): string {
    const directory = join(folder, name);
    mkdirSync(directory);
    const stated = JSON.parse(Buffer.from(goldenBytes(`stated/${weights}/config.json`)).toString()) as object;
    writeFileSync(join(directory, 'config.json'), JSON.stringify({ ...stated, ...config }));
    writeFileSync(join(directory, 'model.safetensors'), goldenBytes(`stated/${weights}/model.safetensors`));
    if (generation) writeFileSync(join(directory, 'generation_config.json'), JSON.stringify(generation));
    return directory;
  }

  it('each key with its value: refused ones first, then followed ones, then those without effect, and why', async () => {
    const generation = { no_such_key: 1, temperature: 0.7, max_length: 20, guidance_scale: 2, eos_token_id: 25 };
    const { status, stdout } = await inside(['inspect', checkpoint('generation', { dropout_rate: 0.1 }, generation)]);
    expect(status).toBe(0); // the model can be loaded, and scored with
    const part = stdout.slice(stdout.indexOf('\ngeneration_config.json\n')).trim().split('\n').slice(1);
    expect(part.map((line) => line.trim().replace(/ {2,}/g, ' | '))).toEqual([
      'refused | guidance_scale 2 | there is no second, negative source',
      'followed | max_length 20 | as maxNewTokens 19',
      'followed | eos_token_id 25 | ids that end a sequence',
      'no effect | temperature 0.7 | do_sample is not true: it applies when a temperature above 0 is asked for',
      'no effect | no_such_key 1 | no key that transformers has',
    ]);
    expect(stdout).toMatch(/^ {2}no effect +dropout_rate 0.1 +for training$/m);
    expect(stdout).toMatch(/^ {2}followed +feed_forward_proj "gated-gelu" +feed-forward layer$/m);
  });

  it('keys of generation in an old config.json, which have no effect beside a generation_config.json', async () => {
    const said = { num_beams: 3, top_p: 0.5 };
    const outcomes = async (name: string, generation: object | null) => {
      const { stdout } = await inside(['inspect', checkpoint(name, said, generation), '--json']);
      const { statements } = JSON.parse(stdout) as { statements: { key: string; outcome: string; note: string }[] };
      return statements.filter(({ key }) => key in said).map(({ key, outcome, note }) => [key, outcome, note]);
    };
    expect(await outcomes('old', null)).toEqual([
      ['num_beams', 'followed', 'how many beams; 1 is no beam search'],
      ['top_p', 'no effect', 'do_sample is not true: it applies when a temperature above 0 is asked for'],
    ]);
    expect(await outcomes('new', {})).toEqual([
      ['num_beams', 'no effect', 'generation_config.json is there'],
      ['top_p', 'no effect', 'generation_config.json is there'],
    ]);
  });

  it.each<[string, object, RegExp]>([
    [
      'gptq',
      { quantization_config: { quant_method: 'gptq', bits: 4 } },
      /quantization_config.quant_method "gptq" is refused/,
    ],
    ['pruned', { pruned_heads: { 0: [1] } }, /pruned_heads \{"0":\[1\]\} is refused: every layer has all its heads/],
    ['per-layer', { per_layer_config: [{}] }, /per_layer_config \[\{\}\] is refused: all layers have one shape/],
  ])('prints all, and then why a checkpoint cannot be loaded (%s)', async (name, config, message) => {
    const { status, stdout, stderr } = await inside(['inspect', checkpoint(name, config, null)]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^parameters +unknown: it cannot be loaded$/m);
    expect(stdout).toMatch(/^ {2}refused /m);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('weights in 8 bits: their scales are listed, and what says so is followed', async () => {
    const { status, stdout } = await inside(['inspect', checkpoint('int8', {}, null, 'int8')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}followed +quantization_config.load_in_8bit true +rows of int8 with a scale each/m);
    expect(stdout).toMatch(/^ {2}encoder.block.0.layer.0.SelfAttention.q.weight +I8 /m);
    expect(stdout).toMatch(/SelfAttention.q.SCB +F32 +\[16\] +64 bytes$/m);
    expect(stdout).toMatch(/wi.SCB +F32 +\[24\] +96 bytes {2}\(not used\)$/m);
    expect(stdout).toMatch(/^parameters +13,024$/m);
  });

  it('a value of any length is printed short, and without control characters', async () => {
    const long = { 'a\u001b[31mkey': 'x'.repeat(5000), list: Array.from({ length: 5000 }, (_, i) => i) };
    const directory = checkpoint('long', {}, null);
    writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify(long));
    const { stdout } = await inside(['inspect', directory]);
    expect(stdout).not.toContain('\u001b');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(250);
    expect(stdout).toMatch(/^ {2}no effect +list \[0,1,2,.*… +no key that transformers has$/m);
  });
});

describe('tandem doctor', () => {
  beforeAll(() => buildCommand());
  afterAll(removeCommand);

  it('names what auto takes, and every backend with whether it works', () => {
    const found = JSON.parse(tandem(['doctor', '--json']).stdout) as {
      node: string;
      auto: { name: string };
      wide: { on: boolean; reason: string };
      backends: { name: string; available: boolean; reason: string }[];
    };
    expect(found.node).toBe(process.version);
    const working = found.backends.filter(({ available }) => available).map(({ name }) => name);
    expect(working).toEqual(expect.arrayContaining(['cpu', 'reference', found.auto.name]));
    for (const { reason } of found.backends) expect(reason).not.toBe('');
    expect(found.wide).toEqual({ on: expect.any(Boolean), reason: expect.stringMatching(/./) });
    const { stdout } = tandem(['doctor']);
    expect(stdout).toContain(`${found.wide.on ? 'on' : 'off'}: ${found.wide.reason}\n`);
    expect(stdout).toMatch(/^auto takes +\w+ \(/m);
    for (const { name, available } of found.backends) {
      expect(stdout).toMatch(new RegExp(`^backend ${name} +${available ? 'works' : 'does not work'}: `, 'm'));
    }
  });
});

describe('tandem doctor, of learnt costs', () => {
  const home = mkdtempSync(join(tmpdir(), 'tandem-costs-'));
  const { XDG_CACHE_HOME, TANDEM_COSTS } = process.env;
  beforeAll(() => {
    buildCommand();
    Object.assign(process.env, { XDG_CACHE_HOME: home, TANDEM_COSTS: '' });
  });
  afterAll(() => {
    for (const [name, value] of Object.entries({ XDG_CACHE_HOME, TANDEM_COSTS })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(home, { recursive: true });
    removeCommand();
  });

  it('says what is known of which pair, what is not taken, and where; --forget-costs removes all', () => {
    const folder = join(home, 'tandem', 'costs');
    const key = { target: 'mine f32', drafter: 'copy', threads: 2 };
    const greedy = {
      target: [
        [1, 1],
        [5, 2.5],
      ],
      draft: [[1, 0.25]],
      further: [],
      opening: 1,
      alpha: 0.5,
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.json'), JSON.stringify({ format: 'tandem-costs', version: 2, key, greedy }));
    writeFileSync(join(folder, 'b.json'), 'broken');
    const { stdout } = tandem(['doctor']);
    expect(stdout).toContain(`2 files in ${folder}\n`);
    expect(stdout).toMatch(/^ {2}copy +mine f32, 2 threads; greedy: α 0\.50, c 0\.25, v\(5\) 2\.50$/m);
    expect(stdout).toMatch(/^ {2}not taken +\S+b\.json: expected JSON, found broken$/m);
    const { costs } = JSON.parse(tandem(['doctor', '--json', '--forget-costs']).stdout) as { costs: object };
    expect(costs).toEqual({ folder, forgotten: 2, files: [] });
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
