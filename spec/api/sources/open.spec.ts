import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ModelSource, Tandem } from '../../../api';
import { openModel } from '../../../api/sources/open';
import { openCheckpoint } from '../../../weights';
import { TOKENIZER_FILES } from '../../../weights/stated';

const DRAFT = join(__dirname, '..', '..', '..', 'models', 'modernize-draft');
const read = (file: string) => readFileSync(join(DRAFT, file));

/** A static server: what it holds by path, and whether it knows ranges. */
class Site {
  readonly requests: string[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(files: Record<string, Buffer | string>, { ranges = true } = {}): Promise<Site> {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      site.requests.push(`${request.url} ${request.headers.range ?? ''}`.trim());
      const content = files[request.url ?? ''];
      if (content === undefined) return response.writeHead(404).end('nothing here');
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (!ranges || !range) return response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      const [first, last] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
      response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}` });
      return response.end(bytes.subarray(first, last + 1));
    };
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const site = new Site(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return site;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const WHOLE = {
  '/t5/config.json': read('config.json'),
  '/t5/tokenizer.json': read('tokenizer.json'),
  '/t5/model.safetensors': read('model.safetensors'),
};

/** The same weights in a file that an index names. */
const SHARDED = {
  '/t5/config.json': read('config.json'),
  '/t5/tokenizer.json': read('tokenizer.json'),
  '/t5/part-00001-of-00001.safetensors': read('model.safetensors'),
  '/t5/model.safetensors.index.json': '',
};

async function namesOfTensors(): Promise<string[]> {
  const checkpoint = await openCheckpoint(DRAFT);
  const names = [...checkpoint.tensors.keys()];
  await checkpoint.dispose();
  return names;
}

describe('a model', () => {
  let expected: string;
  const sites: Site[] = [];
  const INPUT = 'modernize: Verily he cometh quickly.';
  const textOf = async (model: ModelSource): Promise<string> => {
    const tandem = await Tandem.load(model, { threads: 1 });
    const { text } = await tandem.generate(INPUT, { maxNewTokens: 8 });
    await tandem.dispose();
    return text;
  };
  const serve = async (files: Record<string, Buffer | string>, options?: { ranges?: boolean }) => {
    sites.push(await Site.open(files, options));
    return sites[sites.length - 1];
  };

  beforeAll(async () => {
    expected = await textOf(DRAFT);
    expect(expected).not.toBe('');
    const map = Object.fromEntries((await namesOfTensors()).map((name) => [name, 'part-00001-of-00001.safetensors']));
    SHARDED['/t5/model.safetensors.index.json'] = JSON.stringify({ metadata: {}, weight_map: map });
  });
  afterAll(async () => {
    for (const site of sites) await site.close();
  });

  it('at an address is read by ranges, and no file of weights whole', async () => {
    const { url, requests } = await serve(WHOLE);
    expect(await textOf(`${url}/t5`)).toBe(expected);
    expect(await textOf(new URL(`${url}/t5/`))).toBe(expected);
    const weights = requests.filter((request) => request.startsWith('/t5/model.safetensors'));
    expect(weights.length).toBeGreaterThan(4);
    expect(weights.filter((request) => !request.includes('bytes='))).toEqual([]);
  });

  it('at an address whose server knows no ranges is read whole, once', async () => {
    const { url, requests } = await serve(WHOLE, { ranges: false });
    expect(await textOf(`${url}/t5`)).toBe(expected);
    expect(requests.filter((request) => request.startsWith('/t5/model.safetensors'))).toHaveLength(1);
  });

  it('at an address is asked for by every name of a file that its tokenizer, its settings and its steps may be in', async () => {
    const { url, requests } = await serve({ '/t5/config.json': WHOLE['/t5/config.json'] });
    await expect(openModel({ source: `${url}/t5`, hub: {} })).rejects.toMatchObject({ code: 'not-found' });
    const names = ['spiece.model', 'vocab.json', 'merges.txt', 'modules.json', 'sentence_bert_config.json'];
    for (const name of ['config.json', 'generation_config.json', ...TOKENIZER_FILES, ...names]) {
      expect(requests.filter((request) => request === `/t5/${name}`)).toHaveLength(1);
    }
  });

  it('at an address is asked for the files of the steps that modules.json names, and for none that it does not', async () => {
    const config = WHOLE['/t5/config.json'];
    const asked = async (modules: string) => {
      const { url, requests } = await serve({ '/t5/config.json': config, '/t5/modules.json': modules });
      await expect(openModel({ source: `${url}/t5`, hub: {} })).rejects.toMatchObject({ code: 'not-found' });
      return requests.filter((request) => request.split('/').length > 3 || request.includes(' here'));
    };
    expect(await asked('[]')).toEqual([]);
    const names = ['config.json', 'model.safetensors', 'pytorch_model.bin'];
    const steps = ['1_Pooling', '12_Dense'];
    const text = JSON.stringify([...steps, '1_Pooling', '2_Normalize', 'x_Dense'].map((path) => ({ path })));
    expect(await asked(text)).toEqual(steps.flatMap((step) => names.map((name) => `/t5/${step}/${name}`)));
  });

  it('at an address whose index is no JSON is refused, and no file of weights is asked for', async () => {
    const { url, requests } = await serve({ ...SHARDED, '/t5/model.safetensors.index.json': '{"weight_map":' });
    await expect(openModel({ source: `${url}/t5`, hub: {} })).rejects.toMatchObject({ name: 'WeightsError' });
    expect(requests.at(-1)).toBe('/t5/model.safetensors.index.json');
  });

  it('at an address in shards is found by its index', async () => {
    const { url } = await serve(SHARDED);
    expect(await textOf(`${url}/t5`)).toBe(expected);
  });

  it('at an address where there is none, or something else, is one coded error', async () => {
    const strange = { ...SHARDED, '/t5/model.safetensors.index.json': '{"weight_map":{"a":"../../secret"}}' };
    const cases: [Record<string, Buffer | string>, string][] = [
      [{}, 'not-found'],
      [{ '/t5/config.json': WHOLE['/t5/config.json'] }, 'not-found'],
      [{ ...WHOLE, '/t5/config.json': '<html>' }, 'config-invalid'],
      [strange, 'shard-invalid'],
    ];
    for (const [files, code] of cases) {
      const { url, requests } = await serve(files);
      await expect(Tandem.load(`${url}/t5`)).rejects.toMatchObject({ name: 'WeightsError', code });
      expect(requests.filter((request) => request.includes('secret'))).toEqual([]);
    }
    await expect(Tandem.load('http://127.0.0.1:1/t5')).rejects.toMatchObject({ code: 'io-failed' });
  });

  it('of Files, Blobs or bytes by name is the same model', async () => {
    const files = Object.entries(WHOLE).map(
      ([path, bytes]) => new File([new Uint8Array(bytes)], path.slice('/t5/'.length)),
    );
    const bytes = Object.fromEntries(
      Object.entries(WHOLE).map(([path, content]) => [path.slice(1), new Uint8Array(content)]),
    );
    for (const model of [files, bytes, new Map(files.map((file) => [file.name, file]))]) {
      expect(await textOf(model)).toBe(expected);
    }
  });

  it('that says how long its sources may be tells of the first longer one, and of no other', async () => {
    const files = Object.fromEntries(Object.entries(WHOLE).map(([path, bytes]) => [path.slice('/t5/'.length), bytes]));
    const notices: string[] = [];
    const tandem = await Tandem.load(
      { ...files, 'tokenizer_config.json': Buffer.from('{"model_max_length":8}') },
      { threads: 1, onNotice: ({ kind }) => notices.push(kind) },
    );
    const told = async (ids: number) => {
      await tandem.generate(new Array(ids).fill(5), { maxNewTokens: 1 });
      return notices.filter((kind) => kind === 'long-source').length;
    };
    expect([await told(8), await told(9), await told(20)]).toEqual([0, 1, 1]);
    await tandem.dispose();
  });

  it.each([
    [['self:q8', 'self:bf16'], /^draft: expected self in one type, found 'self:q8,self:bf16'$/],
    [
      ['copy', 'self:bf16'],
      /^draft: expected self in another type than the target's, which is bf16, found 'self:bf16'$/,
    ],
  ])('with the drafts %j is refused, with what was found', async (draft, message) => {
    await expect(Tandem.load(DRAFT, { threads: 1, dtype: 'bf16', draft })).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringMatching(message),
    });
  });

  it('that the caller opened stays open', async () => {
    const checkpoint = await openCheckpoint(DRAFT);
    expect(await textOf(checkpoint)).toBe(expected);
    expect(await textOf(checkpoint)).toBe(expected);
    const [name] = checkpoint.tensors.keys();
    expect((await checkpoint.read(name, 0, 4)).length).toBe(4);
    await checkpoint.dispose();
  });

  it('a file: address is a directory', async () => {
    expect(await textOf(new URL(`file://${DRAFT}`))).toBe(expected);
  });

  it.each([
    ['files', { 'config.json': new Blob(['{}']) }],
    ['an address', 'http://127.0.0.1:1/t5'],
  ])('%s have no revision: to ask for one is refused', async (_, model) => {
    await expect(Tandem.load(model, { revision: 'main' })).rejects.toMatchObject({
      code: 'option-invalid',
      message: expect.stringMatching(/^revision/),
    });
  });

  it.each([null, 3, undefined, true, Symbol('x')])('%p is one coded error', async (source) => {
    await expect(openModel({ source: source as never, hub: {} })).rejects.toMatchObject({ code: 'argument-invalid' });
  });

  it.each(['huggingface.co', 'hf.co'])('the page of a model on %s is its id', async (host) => {
    // The cache is empty and the network forbidden: the error names the id and the revision that were looked for.
    const load = (url: string) =>
      Tandem.load(url, { offline: true, cacheDir: join(__dirname, 'no-such-cache') }).catch((error) => error);
    const error = await load(`https://${host}/google/flan-t5-base/tree/refs`);
    expect(error).toMatchObject({ code: 'offline', message: expect.stringMatching(/^google\/flan-t5-base: .*refs/) });
  });

  it('the bundled pair at an address is the pair with its own prefix', async () => {
    const models = join(DRAFT, '..');
    const pair = JSON.parse(readFileSync(join(models, 'pair.json'), 'utf8'));
    const under = (name: string) =>
      Object.fromEntries(
        ['config.json', 'tokenizer.json', 'model.safetensors'].map((file) => [
          `/models/${name}/${file}`,
          readFileSync(join(models, name, file)),
        ]),
      );
    const { url } = await serve({
      '/models/pair.json': JSON.stringify(pair),
      ...under(pair.target),
      ...under(pair.draft),
    });
    const far = await Tandem.load(undefined, { threads: 1, bundledUrl: `${url}/models` });
    const near = await Tandem.load(undefined, { threads: 1 });
    expect(far.prefix).toBe(pair.prefix);
    const input = 'Verily he cometh quickly.';
    expect((await far.generate(input)).text).toBe((await near.generate(input)).text);
    expect(far.draft?.parameters).toBe(near.draft?.parameters);
    await far.dispose();
    await near.dispose();
    const wrong = await serve({ '/models/pair.json': '{"target":3}' });
    for (const address of [`${wrong.url}/models`, `${wrong.url}/nothing`, 'models', 'http://127.0.0.1:1/']) {
      await expect(Tandem.load(undefined, { bundledUrl: address })).rejects.toMatchObject({
        name: 'WeightsError',
        code: expect.stringMatching(/^(io-failed|not-found)$/),
      });
    }
  });
});
