import { distributionOf, probabilityOf, type Settings } from '../decoding';
import type { SequenceModel, T5Model } from '../engine';
import { finish } from './exactness';

/** The target's exact distribution over the first `length` tokens, by the chain rule over its own logits. */
export async function exact(target: SequenceModel, source: readonly number[], settings: Settings, length: number) {
  const outcomes = new Map<string, number>();
  const [encoded] = await target.encode([source]);
  const walk = async (ids: readonly number[], mass: number): Promise<void> => {
    if (ids.length > length || (ids.length > 1 && target.eosTokens.includes(ids[ids.length - 1]))) {
      outcomes.set(ids.slice(1).join(), mass);
      return;
    }
    const stream = encoded.open();
    const rows = ids.map((token, i) => ({ stream, token, position: i, parent: i - 1 }));
    const view = await target.forward(rows);
    const distribution = distributionOf(
      await view.read(ids.length - 1),
      { ids, eosTokens: target.eosTokens },
      settings,
    );
    view.dispose();
    stream.dispose();
    for (let token = 0; token < target.vocabularySize; token++) {
      const probability = probabilityOf(distribution, token);
      // Texts that are too rare are pooled later. All of them get one name.
      if (probability * mass > 1e-4) await walk([...ids, token], mass * probability);
      else if (probability > 0) outcomes.set('rare', (outcomes.get('rare') ?? 0) + mass * probability);
    }
  };
  await walk([target.startToken], 1);
  encoded.dispose();
  return outcomes;
}

/** The same model, with the source encoded once for all runs. */
export async function encodedOnce(model: T5Model, source: readonly number[]): Promise<SequenceModel> {
  const [encoded] = await model.encode([source]);
  const shared = { source, open: () => encoded.open(), dispose: () => undefined, [Symbol.dispose]: () => undefined };
  const { vocabularySize, startToken, eosTokens } = model;
  const forward: SequenceModel['forward'] = (rows, options) => model.forward(rows, options);
  return { vocabularySize, startToken, eosTokens, forward, encode: async () => [shared] };
}

type Request = Parameters<typeof finish>[0];

/** Counts of the texts of `runs` generations with seeds after `from`; texts not among `known` count as rare. */
export async function counted(request: Request, runs: number, known: ReadonlyMap<string, number>, from = 0) {
  const counts = new Map<string, number>();
  for (let seed = from + 1; seed <= from + runs; seed++) {
    const { ids } = await finish({ ...request, settings: { ...request.settings, seed } });
    const key = known.has(ids.join()) ? ids.join() : 'rare';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
