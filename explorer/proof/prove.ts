import {
  type Address,
  collect,
  type Drafter,
  distributionOf,
  generate,
  modelDrafter,
  probabilityOf,
  type Random,
  type Settings,
  seededRandom,
} from '../../decoding';
import {
  addUp,
  enumeratePaths,
  MUTANTS,
  type Mutant,
  type Naming,
  type Outcomes,
  type Path,
  randomTable,
  tableModel,
  totalVariation,
} from '../../testing/index';

/** What is proven: two models over three words, and the sampler that ships, or one that is wrong on purpose. */
export interface ProofRequest {
  /** Name of a known-wrong sampler; null for the one that ships. */
  readonly wrong: string | null;
  /** Makes the two models. */
  readonly tables: number;
  readonly gamma: number;
  /** Tokens of a text. */
  readonly length: number;
}

export interface Proof {
  readonly paths: readonly Path[];
  /** Every text with what the target gives it, and with what the sampler's paths to it add up to. */
  readonly texts: readonly { readonly text: string; readonly target: number; readonly sampler: number }[];
  readonly distance: number;
}

const VOCABULARY = 3;
const SOURCE = [2, 0, 1];
/** Names of the known-wrong samplers. */
export const WRONG_SAMPLERS: readonly string[] = MUTANTS.map(({ name }) => name);

/** The sampler of a request, as a function of its random numbers. */
function samplerOf({ wrong, tables, gamma, length }: ProofRequest) {
  const mutant: Partial<Mutant> = MUTANTS.find(({ name }) => name === wrong) ?? {};
  const target = tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, tables) });
  const draft = modelDrafter(tableModel({ vocabulary: VOCABULARY, logits: randomTable(VOCABULARY, tables + 500) }));
  const drafter: Drafter = mutant.drafter?.(draft) ?? draft;
  const settings: Settings = { temperature: 1, maxNewTokens: length, gamma };
  const run = async (random: Random) => {
    const { ids } = await collect(generate({ target, drafter, source: SOURCE, settings, random, rule: mutant.rule }));
    return ids.join();
  };
  return { run, naming: mutant.naming };
}

/** The numbers of a seed, where addresses with one name share a number. */
function renamed(random: Random, naming: Naming | undefined): Random {
  if (naming === undefined) return random;
  const at = (address: Address): Address => ({
    ...address,
    sequence: naming(address),
    round: 0,
    position: 0,
    purpose: 'accept',
  });
  return {
    accept: (weight, of, address) => random.accept(weight, of, at(address)),
    categorical: (distribution, address) => random.categorical(distribution, at(address)),
    exponential: (token, address) => random.exponential(token, address),
  };
}

/** The target's own probability of every text, by the chain rule, without the sampler. */
export function targetTexts({ tables, length }: ProofRequest): Outcomes {
  const texts: Outcomes = new Map();
  const logits = randomTable(VOCABULARY, tables);
  const walk = (ids: readonly number[], mass: number): void => {
    if (ids.length > length) {
      texts.set(ids.slice(1).join(), mass);
      return;
    }
    const context = { ids, eosTokens: [], source: SOURCE, maxNewTokens: length };
    const distribution = distributionOf(logits(ids, []), context, { temperature: 1 });
    for (let token = 0; token < VOCABULARY; token++) walk([...ids, token], mass * probabilityOf(distribution, token));
  };
  walk([0], 1);
  return texts;
}

/** Runs the sampler through every path. */
export async function prove(request: ProofRequest): Promise<Proof> {
  const { run, naming } = samplerOf(request);
  const paths = await enumeratePaths(run, naming);
  const sampler = addUp(paths);
  const target = targetTexts(request);
  const texts = [...target].map(([text, mass]) => ({ text, target: mass, sampler: sampler.get(text) ?? 0 }));
  return { paths, texts, distance: totalVariation(sampler, target) };
}

/** How often each text came out of so many samples. */
export type Counts = Readonly<Record<string, number>>;

/** Samples again and again, each time with another seed; tells the counts from time to time. */
export async function sampleTexts(
  request: ProofRequest & { readonly samples: number; readonly firstSeed: number },
  signal: AbortSignal,
  tell: (counts: Counts, drawn: number) => Promise<void>,
): Promise<Counts> {
  const { run, naming } = samplerOf(request);
  const counts: Record<string, number> = {};
  for (let drawn = 1; drawn <= request.samples && !signal.aborted; drawn++) {
    const text = await run(renamed(seededRandom(request.firstSeed + drawn), naming));
    counts[text] = (counts[text] ?? 0) + 1;
    if (drawn % 100 === 0) await tell({ ...counts }, drawn);
  }
  return counts;
}
