import { matrix } from './arbitraries';
import { planOf } from './scenario';
import { type Subject, using } from './subject';

/** A refusal names the argument that does not fit. */
export function fieldLaws({ backend, types }: Subject): void {
  test('what is refused is named: the list, the operand and its side', async () => {
    await using(backend(), async (boxes) => {
      const of = boxes.backend;
      const [x, cols, rows] = [matrix(1, 2, 4), matrix(2, 2, 5), matrix(3, 3, 4)].map((one) => boxes.tensor(one));
      const weight = boxes.weight(matrix(4, 4, 4), types[0]);
      const norm = boxes.norm(new Float32Array(4).fill(1));
      const cache = boxes.keep(of.cache(2, 2, 4));
      const plan = boxes.keep(of.plan());
      const spec = planOf([[0], [0, 1]], Int32Array.of(0, 1));
      const arrange = (change: object) => () => of.arrange(plan, { ...spec, ...change });
      const slots = Int32Array.of(0, 1);
      const one = Int32Array.of(0);
      const calls: readonly (readonly [string, () => unknown])[] = [
        ...(['start', 'count', 'position', 'write'] as const).map(
          (name) => [`${name}.length`, arrange({ [name]: one })] as const,
        ),
        ['places.length', arrange({ places: one })],
        ['in keys', arrange({ keys: Int32Array.of(0, -1, 1) })],
        ['in write', arrange({ write: Int32Array.of(0, -1) })],
        ['gain.length', () => of.rmsNorm(boxes.out(), cols, norm)],
        ['residual.rows', () => of.linear(boxes.out(), x, weight, rows)],
        ['residual.cols', () => of.linear(boxes.out(), x, weight, cols)],
        ['weight.cols', () => of.linear(boxes.out(), cols, weight, null)],
        ['gated.rows', () => of.activation(boxes.out(), x, 'relu', rows)],
        ['gated.cols', () => of.activation(boxes.out(), x, 'relu', cols)],
        ['weights.length', () => of.normLinear([], x, norm, [])],
        ['outs.length', () => of.normLinear([boxes.out()], x, norm, [weight, weight])],
        ['keys.rows', () => of.append(cache, rows, x, slots)],
        ['values.cols', () => of.append(cache, x, cols, slots)],
        ['slots[1]', () => of.append(cache, x, x, Int32Array.of(0, -1))],
        ['ids[0]', () => of.embed(boxes.out(), weight, Int32Array.of(9))],
        ['ids.length', () => of.embed(boxes.out(), weight, new Int32Array(0))],
        ['values.length', () => of.write(boxes.out(), 2, 2, new Float32Array(5))],
        ['rows to be', () => of.write(boxes.out(), 0, 2, new Float32Array(0))],
        ['cols to be', () => of.write(boxes.out(), 2, 0, new Float32Array(0))],
        ['heads to be', () => of.cache(0, 2, 2)],
        ['dKv to be', () => of.cache(2, 0, 2)],
        ['slots to be', () => of.cache(2, 2, 0)],
      ];
      for (const [name, call] of calls)
        expect(call).toThrow(new RegExp(`: expected .*${name.replace(/[[\].]/g, '\\$&')}`));
      const logits = boxes.logits();
      of.head(logits, x, null, weight, 1);
      await expect((async () => of.at(logits, slots, one))()).rejects.toThrow(/expected tokens\.length/);
      await expect((async () => of.at(logits, Int32Array.of(2), one))()).rejects.toThrow(/expected rows\[0\]/);
      await expect((async () => of.at(logits, one, Int32Array.of(4)))()).rejects.toThrow(/expected tokens\[0\]/);
    });
  });
}
