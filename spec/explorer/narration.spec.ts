import { join } from 'node:path';
import { collect, createBackend, generate, loadModel, modelDrafter, openCheckpoint, type Settings } from '../../core';
import { RoundRecorder } from '../../explorer/engine/rounds';
import { percent } from '../../explorer/page/format';
import { narrate } from '../../explorer/panels/round/narration';
import { type Step, stepsOf } from '../../explorer/panels/round/steps';
import type { ShownRound } from '../../explorer/protocol';
import { EXAMPLES, ROOT } from './site';

const SAMPLED: Settings = { temperature: 1, seed: 7, maxNewTokens: 32 };
const WAYS: Readonly<Record<string, Settings>> = {
  'a chain, at temperature 0': { gamma: 3, maxNewTokens: 24 },
  'no draft': { ...SAMPLED, gamma: 0, maxNewTokens: 4 },
  'token verification': { ...SAMPLED, gamma: 4 },
  'lenient verification': { ...SAMPLED, gamma: 4, lenience: 0.5 },
  'block verification': { ...SAMPLED, gamma: 4, verification: 'block' },
  'coupled verification': { ...SAMPLED, gamma: 4, verification: 'coupled' },
  'a tree': { ...SAMPLED, branching: [2, 2, 1] },
  'a tree, coupled': { ...SAMPLED, branching: [2, 2, 1], verification: 'coupled' },
  'a tree, at temperature 0': { branching: [2, 2, 1], maxNewTokens: 24 },
};

/** The rounds of a run as the page gets them. */
let roundsOf: (settings: Settings) => Promise<ShownRound[]>;
let end: () => Promise<void>;

beforeAll(async () => {
  const backend = await createBackend('wasm', { level: 'simd', threads: 1 });
  const [target, draft] = await Promise.all(
    ['modernize-target', 'modernize-draft'].map(async (name) => {
      const checkpoint = await openCheckpoint(join(ROOT, 'models', name));
      return { model: await loadModel(checkpoint, backend), tokenizer: await checkpoint.tokenizer(), checkpoint };
    }),
  );
  const { model, tokenizer } = target;
  const drafter = modelDrafter(draft.model);
  const source = tokenizer.encode(`modernize: ${EXAMPLES[1]}`);
  roundsOf = async (settings) => {
    const rounds: ShownRound[] = [];
    const labelOf = (id: number) => tokenizer.piece(id).replaceAll('▁', ' ');
    const trace = new RoundRecorder(settings, labelOf, (round) => rounds.push(round));
    await collect(generate({ target: model, drafter, source, settings, trace }));
    return rounds;
  };
  end = async () => {
    for (const one of [target, draft]) {
      one.model.dispose();
      await one.checkpoint.dispose();
    }
    await backend.dispose();
  };
});
afterAll(() => end?.());

const said = (label: string) => `“${label === '</s>' ? 'end' : label.trim() || label}”`;
const count = (number: number) => `${number} token${number === 1 ? '' : 's'}`;

/** What a step's text must have, from the round alone. */
function mustSay(
  { proposals, tree, accepted, tokens, next, positions }: ShownRound,
  step: Step,
  isCoupled: boolean,
): string[] {
  switch (step.kind) {
    case 'propose':
      return tree === null
        ? [`Position ${step.i + 1}: `, said(proposals[step.i].label)]
        : [`a tree of ${tree.length} candidates`];
    case 'score': {
      const shared = positions.flatMap(({ overlap }) => (overlap === null ? [] : [percent(overlap)])).join(', ');
      const scored = (tree ?? proposals).length + 1;
      return scored === 1 ? ['Nothing was proposed'] : [`scores ${scored} positions at once`, shared];
    }
    case 'accept': {
      const { label, verdict, target, draft } = proposals[step.i];
      const verdictSaid = `it is ${verdict}`;
      return isCoupled
        ? [said(label), verdict === 'kept' ? 'wins both races' : "wins the draft's race only", verdictSaid]
        : [`gives ${said(label)} ${percent(target)}, the draft ${percent(draft)}`, verdictSaid];
    }
    case 'block':
      return tree === null
        ? [`keeps ${count(accepted)} of ${proposals.length}`]
        : [`${count(accepted)} kept`, ...tree.flatMap((one) => (one.verdict === 'rejected' ? [said(one.label)] : []))];
    case 'adjust':
      return [
        `${said(proposals[accepted].label)} is rejected`,
        percent(Math.max(...next.from.entries.map((one) => one.target))),
      ];
    case 'draw': {
      const from = next.kind === 'corrected' ? 'the residual' : 'the target’s own distribution';
      const isFree = next.kind === 'bonus' ? ['for free'] : [];
      return [`after the ${accepted} kept comes from ${from}`, said(next.drawn.label), ...isFree];
    }
    case 'caches':
      return tree === null
        ? [`${count(tokens.length)} for one call of the target`, ...tokens.map(said)]
        : ['cache held'];
  }
}

describe('what a screen reader reads of a round', () => {
  test.each(Object.keys(WAYS))('has a text for every step, which says what happened: %s', async (way) => {
    const settings = WAYS[way];
    const { verification = 'token' } = settings;
    const rounds = await roundsOf(settings);
    expect(rounds.length).toBeGreaterThan(2);
    const kinds = new Set<string>();
    for (const round of rounds) {
      for (const step of stepsOf(round, verification)) {
        kinds.add(step.kind);
        const text = narrate(round, step, verification);
        expect(text).not.toMatch(/undefined|NaN|\[object/);
        for (const part of mustSay(round, step, verification === 'coupled')) {
          expect([round.index, step, text]).toEqual([round.index, step, expect.stringContaining(part)]);
        }
      }
    }
    expect(kinds).toContain('caches');
    expect(rounds.some(({ next }) => next.kind !== 'corrected')).toBe(true);
  });
});
