import { useEffect, useMemo } from 'preact/hooks';
import { askedOf } from '../../page/asked';
import {
  DraftChoice,
  Problem,
  Problems,
  Seed,
  ShapeChoice,
  Slider,
  SourceText,
  VerificationChoice,
} from '../../page/controls';
import type { PanelProps } from '../../page/panel-props';
import { readPlace, within } from '../../page/place';
import { follow, NO_RUN, type Run, useKept, useWork } from '../../page/run';
import { DEFAULTS, decodingSettings, type RunSettings, refusal } from '../../page/settings';
import { Gradually, inOwnTask } from '../../page/stages';
import type { ShownRound } from '../../protocol';
import { Algorithm } from './algorithm';
import { ChanceStrip, DrawStrip } from './bars';
import { Caches } from './caches';
import { Cards } from './cards';
import { narrate } from './narration';
import { Prefixes } from './prefixes';
import { knownAt, type Step, stepsOf } from './steps';
import { Tree } from './tree';

/** At temperature 0 every distribution has one token. With this seed the first round keeps three tokens and rejects the fourth. */
const ROUND_DEFAULTS: RunSettings = { ...DEFAULTS, temperature: 1, seed: 7, length: 48 };
const ROUND_EXAMPLE = 1;

export function RoundPanel({ engine, info, place, change }: PanelProps) {
  const asked = { defaults: ROUND_DEFAULTS, example: ROUND_EXAMPLE, controls: ['gamma'] } as const;
  const { settings, problems, key } = askedOf(place.values, info, asked);
  const [run, setRun] = useKept<Run>('round', NO_RUN);
  const work = useWork('round', key, async (signal) => {
    const { text, draft } = settings;
    await follow(engine, { text, draft, settings: decodingSettings(settings), rounds: true }, signal, setRun);
  });
  const controls = useMemo(() => <Controls {...{ settings, info, change }} />, [JSON.stringify(settings), info]);
  return (
    <Gradually first={2}>
      <Problems problems={problems} />
      {controls}
      <Problem text={work.error} />
      {run.rounds.length > 0 && refusal(settings) === null && (
        <Rounds {...{ run, settings, change, values: place.values }} />
      )}
    </Gradually>
  );
}

/** Made again only where a setting changes: a step through a round changes none. */
function Controls({ settings, info, change }: Pick<PanelProps, 'info' | 'change'> & { settings: RunSettings }) {
  return (
    <section class="controls" aria-label="Settings">
      <Gradually>
        <SourceText {...{ settings, change, examples: info?.examples ?? [] }} />
        <div class="fields">
          <DraftChoice draft={settings.draft} {...{ info, change }} />
          <VerificationChoice {...{ settings, change }} />
          <ShapeChoice {...{ settings, change }} />
          <Slider name="gamma" {...{ settings, change }} />
          <Slider name="temperature" {...{ settings, change }} />
          <Seed {...{ settings, change }} />
        </div>
      </Gradually>
    </section>
  );
}

interface RoundsProps extends Pick<PanelProps, 'change'> {
  readonly run: Run;
  readonly settings: RunSettings;
  readonly values: Readonly<Record<string, string>>;
}

/** Where the link is in a run. */
function placeIn(run: Run, verification: string, values: Readonly<Record<string, string>>) {
  const index = within(values.round, run.rounds.length - 1, 0);
  const steps = stepsOf(run.rounds[index], verification);
  return { index, steps, now: within(values.step, steps.length - 1, 0) };
}

/** Moves through rounds and steps, from where the link is at that moment: keys may come faster than the page is drawn. */
function movesIn(run: Run, verification: string, change: PanelProps['change']) {
  const last = run.rounds.length - 1;
  const go = (round: number, step: number) => change({ round, step });
  const here = () => placeIn(run, verification, readPlace(location.hash).values);
  const lastStepOf = (at: number) => stepsOf(run.rounds[at], verification).length - 1;
  return {
    go,
    back: () => {
      const { index, now } = here();
      if (now > 0) go(index, now - 1);
      else if (index > 0) go(index - 1, lastStepOf(index - 1));
    },
    forward: () => {
      const { index, now } = here();
      if (now < lastStepOf(index)) go(index, now + 1);
      else if (index < last) go(index + 1, 0);
    },
    previous: () => here().index > 0 && go(here().index - 1, 0),
    following: () => here().index < last && go(here().index + 1, 0),
  };
}

function Rounds({ run, settings, change, values }: RoundsProps) {
  const { index, steps, now } = placeIn(run, settings.verification, values);
  const round = run.rounds[index];
  const { go, back, forward, previous, following } = movesIn(run, settings.verification, change);
  const step = steps[now];
  const { verification, lenience } = settings;
  const isTree = round.tree !== null;
  // While a run goes on it is drawn again in each frame; what is shown of one round is then the same.
  const positions = useMemo(() => <Positions {...{ round, steps, now }} />, [round, verification, now]);
  const algorithm = useMemo(
    () => <Algorithm {...{ step, settings, isTree }} />,
    [step.kind, verification, lenience, isTree],
  );
  useKeys({ ArrowLeft: back, ArrowRight: forward, ArrowUp: previous, ArrowDown: following });
  return (
    <div class="round">
      <Gradually first={2}>
        <SoFar rounds={run.rounds} index={index} tokens={certain(round, steps, now)} />
        <div class="bar stepper">
          <span class="joined">
            <button type="button" aria-label="Round before" disabled={index === 0} onClick={previous}>
              «
            </button>
            <button type="button" aria-label="Step back" disabled={index === 0 && now === 0} onClick={back}>
              ‹ back
            </button>
            <button
              type="button"
              class="primary"
              aria-label="Step forward"
              disabled={index === run.rounds.length - 1 && now === steps.length - 1}
              onClick={forward}
            >
              step ›
            </button>
            <button
              type="button"
              aria-label="Next round"
              disabled={index === run.rounds.length - 1}
              onClick={following}
            >
              »
            </button>
          </span>
          <span class="where" id="where">
            round <b>{index + 1}</b> of {run.rounds.length}, step <b>{now + 1}</b> of {steps.length}
          </span>
          <Dots steps={steps} now={now} go={(step) => go(index, step)} />
        </div>
        <p class="narration" role="status" id="narration">
          {narrate(round, step, verification)}
        </p>
        <Decision round={round} step={step} />
        {positions}
        {algorithm}
      </Gradually>
    </div>
  );
}

/** The tree of a round that has one, else its positions side by side. */
function Positions({ round, steps, now }: { round: ShownRound; steps: readonly Step[]; now: number }) {
  if (round.tree !== null) return <Tree nodes={round.tree} isScored={now >= 1} isJudged={now >= 2} />;
  return (
    <>
      <Cards round={round} steps={steps} now={now} />
      <Legend />
    </>
  );
}

/** The number that decided this step, on the unit interval. */
function Decision({ round, step }: { round: ShownRound; step: Step }) {
  if (step.kind === 'block' && round.tree === null) return <Prefixes round={round} />;
  if (step.kind === 'propose' && round.tree === null)
    return <DrawStrip drawn={round.proposals[step.i].drawn} side="draft" />;
  if (step.kind === 'accept') return <ChanceStrip {...round.proposals[step.i]} />;
  if (step.kind === 'draw')
    return <DrawStrip drawn={round.next.drawn} side={round.next.kind === 'corrected' ? 'residual' : 'target'} />;
  if (step.kind === 'caches') return <Caches round={round} />;
  return <div class="strip-01 empty" />;
}

/** The tokens of this round that are certain after a step. */
function certain(round: ShownRound, steps: readonly Step[], now: number): readonly string[] {
  const isOver = steps.slice(0, now + 1).some(({ kind }) => kind === 'draw');
  if (round.tree !== null && !isOver) {
    return now < 2 ? [] : round.tree.flatMap(({ verdict, label }) => (verdict === 'kept' ? [label] : []));
  }
  const judged = round.proposals.filter((_, i) => i < round.accepted && knownAt(round, steps, now, i).judged);
  return isOver ? round.tokens : judged.map(({ label }) => label);
}

function SoFar({ rounds, index, tokens }: { rounds: readonly ShownRound[]; index: number; tokens: readonly string[] }) {
  const textOf = (labels: readonly string[]) => labels.filter((label) => label !== '</s>').join('');
  const before = rounds
    .slice(0, index)
    .map((round) => textOf(round.tokens))
    .join('');
  return (
    <p class="so-far">
      <span class="unseen">The text so far: </span>
      {before.trimStart()}
      <mark>{before === '' ? textOf(tokens).trimStart() : textOf(tokens)}</mark>
      <i class="caret" aria-hidden="true" />
    </p>
  );
}

function Dots({ steps, now, go }: { steps: readonly Step[]; now: number; go: (step: number) => void }) {
  return (
    <span class="dots">
      {steps.map((step, i) => (
        <button
          type="button"
          key={i}
          class={`is-${step.kind}`}
          aria-label={`Step ${i + 1}: ${step.kind}${'i' in step ? ` ${step.i + 1}` : ''}`}
          aria-current={i === now ? 'step' : undefined}
          onClick={() => go(i)}
        />
      ))}
    </span>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label="Colours">
      <li>
        <i class="swatch shared" /> both: min(p, q)
      </li>
      <li>
        <i class="swatch draft" /> the draft more: what a rejection takes away
      </li>
      <li>
        <i class="swatch target" /> the target more: the residual
      </li>
      <li class="keys">← → step · ↑ ↓ round</li>
    </ul>
  );
}

/** Keys that act anywhere but in a field. */
function useKeys(keys: Readonly<Record<string, () => unknown>>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
      if (keys[event.key] === undefined) return;
      event.preventDefault();
      inOwnTask(keys[event.key]);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}
