import fc from 'fast-check';
import { resolveTensors, type T5Config, WeightsError } from '../../weights';
import type { TensorFormat } from '../../weights/safetensors/writer';
import { EMBEDDING_NAMES, HEAD_NAME, t5Shapes, t5Tensors } from '../../weights/tensors';
import { arbitraryConfig } from '../support/arbitrary-config';
import { tinyConfig } from '../support/random-checkpoint';

/** Types and shapes of every tensor that a config asks for, in float32. */
function formats(config: T5Config, head?: string): Map<string, TensorFormat> {
  return new Map(
    t5Shapes(config, t5Tensors(config, { head })).map(({ name, shape }) => [name, { type: 'F32', shape }]),
  );
}

function resolve(tensors: ReadonlyMap<string, TensorFormat>, config: T5Config) {
  const infos = [...tensors].map(([name, format]) => [name, { ...format, name, bytes: 0, file: 'f' }] as const);
  return resolveTensors({ name: 'model', config, tensors: new Map(infos) });
}

describe('the tensors that the engine reads', () => {
  it('are found with the head tied, untied, and with the table stored only beside one side', () => {
    const tensors = formats(tinyConfig());
    const [shared, ...others] = EMBEDDING_NAMES;
    expect(resolve(tensors, tinyConfig())).toMatchObject({ embedding: shared, head: shared });
    expect(resolve(formats(tinyConfig(), HEAD_NAME), tinyConfig()).head).toBe(HEAD_NAME);
    const table = tensors.get(shared) as TensorFormat;
    tensors.delete(shared);
    for (const name of others) {
      const found = resolve(new Map([...tensors, [name, table] as const]), tinyConfig());
      expect([found.embedding, found.head, found.all[0].name]).toEqual([name, name, name]);
    }
    expect(() => resolve(tensors, tinyConfig())).toThrow(/expected one of shared.weight, .*, found none/);
  });

  it('are found whatever other tensors, of any type and shape, are beside them', () => {
    const other = fc.record({
      name: fc.oneof(fc.constantFrom('model.step', 'decoder.block.9.layer.0.SelfAttention.q.weight'), fc.string()),
      format: fc.record({ type: fc.constantFrom('F64', 'I64', 'BOOL', 'F4'), shape: fc.array(fc.nat(9)) }),
    });
    fc.assert(
      fc.property(arbitraryConfig, fc.array(other), (config, others) => {
        const needed = formats(config);
        const spare = others.filter(({ name }) => !needed.has(name) && name !== HEAD_NAME);
        const found = resolve(new Map([...spare.map((o) => [o.name, o.format] as const), ...needed] as never), config);
        expect(found).toEqual(resolve(needed, config));
      }),
    );
  });

  it('are each named when missing, of another shape, or of a type that cannot be computed with', () => {
    const untied = [...formats(tinyConfig(), HEAD_NAME)];
    const changed = (name: string, format: TensorFormat | null) => {
      const kept = untied.filter(([other]) => other !== name);
      return new Map(format ? [...kept, [name, format]] : kept);
    };
    for (const [name, format] of untied) {
      const wrong = { ...format, shape: [...format.shape, 1] };
      expect(() => resolve(changed(name, wrong), tinyConfig())).toThrow(`f: ${name}: expected shape [${format.shape}]`);
      const other = { ...format, type: 'I64' as const };
      expect(() => resolve(changed(name, other), tinyConfig())).toThrow(
        `f: ${name}: expected F64, F32, F16, BF16 or I8`,
      );
      if (name === HEAD_NAME) continue; // a model without one ties it
      const missing = name === EMBEDDING_NAMES[0] ? 'one of shared.weight' : `tensor ${name}`;
      expect(() => resolve(changed(name, null), tinyConfig())).toThrow(`model: expected ${missing}`);
      expect(() => resolve(changed(name, null), tinyConfig())).toThrow(WeightsError);
    }
    expect(untied).toHaveLength(61);
  });
});
