import { published, theory } from '../../../decoding';
import { askedOf } from '../../page/asked';
import {
  Choice,
  DraftChoice,
  type FigureLine,
  Figures,
  Problem,
  Problems,
  Seed,
  Slider,
  SourceText,
  VerificationChoice,
} from '../../page/controls';
import { Curves } from '../../page/curves';
import { fixed } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import { follow, useKept, useWork } from '../../page/run';
import { decodingSettings, RANGES, type RunSettings } from '../../page/settings';
import { Gradually } from '../../page/stages';
import { type Measured, type Summary, summaryOf } from './measured';
import { predicted } from './predicted';

const DTYPES = [
  ['', 'as it is stored'],
  ['f32', 'f32'],
  ['bf16', 'bf16'],
  ['q8', 'q8'],
] as const;

/** Costs by pair and draft. They do not depend on what the sliders say: they are measured once. */
type Costs = Readonly<Record<string, Measured['costs']>>;

export function PlayPanel({ engine, info, place, change }: PanelProps) {
  const controls = ['gamma', 'topK', 'topP', 'lenience'] as const;
  const { settings, problems, key } = askedOf(place.values, info, { example: 2, controls });
  const [costs, setCosts] = useKept<Costs>('costs', {});
  const [measured, setMeasured] = useKept<Measured | null>('play', null);
  const work = useWork('play', key, async (signal) => {
    const { text, draft } = settings;
    const pair = `${info?.stamp} ${draft}`;
    const known = costs[pair] ?? (await engine.measure({ text, draft }, { signal }));
    setCosts({ ...costs, [pair]: known });
    const request = { text, draft, settings: decodingSettings(settings), rounds: false, warmUp: 8 };
    const drafted = await follow(engine, request, signal, () => undefined);
    const alone = await follow(engine, { ...request, draft: 'none' }, signal, () => undefined);
    if (!signal.aborted) setMeasured({ costs: known, drafted, alone });
  });
  return (
    <Gradually first={3}>
      <Problems problems={problems} />
      <section class="controls" aria-label="Settings">
        <div class="fields">
          <DraftChoice draft={settings.draft} {...{ info, change }} />
          <VerificationChoice {...{ settings, change }} />
          <Choice label="type" name="dtype" value={place.values.dtype ?? ''} options={DTYPES} change={change} />
          <Slider name="gamma" {...{ settings, change }} />
          <Slider name="temperature" {...{ settings, change }} />
          <Slider name="topK" {...{ settings, change }} />
          <Slider name="topP" {...{ settings, change }} />
          <Slider name="lenience" {...{ settings, change }} />
          <Seed {...{ settings, change }} />
        </div>
        <SourceText {...{ settings, change, examples: info?.examples ?? [] }} />
      </section>
      <Problem text={work.error} />
      {measured === null && work.error === null && (
        <p class="sample">Measuring what a call of each model costs here …</p>
      )}
      {measured !== null && <Results measured={measured} settings={settings} isRunning={work.isRunning} />}
      <Paper />
    </Gradually>
  );
}

function Results({ measured, settings, isRunning }: { measured: Measured; settings: RunSettings; isRunning: boolean }) {
  const summary = summaryOf(measured);
  if (summary === null) return null;
  return (
    <div class="play" aria-busy={isRunning}>
      <Measurement measured={measured} summary={summary} settings={settings} />
      <div class="charts">
        <Gradually>
          <TokensChart {...{ summary, settings }} />
          <SpeedChart {...{ measured, summary, settings }} />
        </Gradually>
      </div>
      <p class="sample">{measured.drafted.finished?.text}</p>
    </div>
  );
}

const GAMMAS = Array.from({ length: RANGES.gamma.most + 1 }, (_, gamma) => gamma);

function TokensChart({ summary, settings: { gamma } }: { summary: Summary; settings: RunSettings }) {
  const expected = (at: number) => theory.expectedTokens(summary.alpha, at);
  return (
    <section>
      <h2>
        Tokens a call of the target <small>equation 1, for the measured α</small>
      </h2>
      <Curves
        title={`Expected tokens a target call against gamma, for alpha ${fixed(summary.alpha, 2)}`}
        x={{ label: 'γ', from: 0, to: RANGES.gamma.most, isWhole: true }}
        y={{ label: 'tokens', from: 0, to: Math.max(4, Math.ceil(expected(RANGES.gamma.most) + 1)) }}
        lines={[{ name: 'expected', side: 'draft', points: GAMMAS.map((at) => [at, expected(at)]) }]}
        points={[
          { name: 'this setting', side: 'draft', at: [[gamma, expected(gamma)]], isHollow: true },
          { name: 'measured', side: 'draft', at: [[gamma, summary.tokens]] },
        ]}
      />
    </section>
  );
}

function SpeedChart({
  measured: { costs },
  summary,
  settings,
}: {
  measured: Measured;
  summary: Summary;
  settings: RunSettings;
}) {
  const { gamma } = settings;
  const { alpha } = summary;
  const here = (at: number) => predicted(alpha, at, costs);
  const free = (at: number) => (at === 0 ? 1 : theory.predictedSpeedup({ alpha, gamma: at, c: costs.c }));
  const raw = GAMMAS.map((at) => predicted(alpha, at, { c: costs.c, v: costs.measured }));
  const most = Math.max(2, ...GAMMAS.map(here), ...GAMMAS.map(free), ...raw, summary.speedup);
  return (
    <section>
      <h2>
        Speed-up <small>theorem 3.8, for the measured α, c and v</small>
      </h2>
      <Curves
        title={`Predicted speed-up against gamma, for alpha ${fixed(alpha, 2)} and c ${fixed(costs.c, 2)}`}
        x={{ label: 'γ', from: 0, to: RANGES.gamma.most, isWhole: true }}
        y={{ label: 'times', from: 0, to: Math.ceil(most), format: (value) => `${value}×` }}
        lines={[
          { name: 'with v(γ + 1), smoothed', side: 'target', points: GAMMAS.map((at) => [at, here(at)]) },
          { name: 'with v = 1, as in the paper', side: 'quiet', points: GAMMAS.map((at) => [at, free(at)]) },
        ]}
        points={[
          { name: 'with v(γ + 1) as measured', side: 'target', at: GAMMAS.map((at) => [at, raw[at]]), isSmall: true },
          { name: 'this setting', side: 'target', at: [[gamma, here(gamma)]], isHollow: true },
          { name: 'measured speed-up', side: 'target', at: [[gamma, summary.speedup]] },
        ]}
      />
    </section>
  );
}

function Measurement({ measured, summary, settings }: { measured: Measured; summary: Summary; settings: RunSettings }) {
  const { costs, drafted } = measured;
  const { v } = costs;
  const isExact = drafted.finished?.result.metrics.exact ?? true;
  const figures: readonly FigureLine[] = [
    ['α', fixed(summary.alpha, 2), 'mean chance that a token is kept'],
    ['c', fixed(costs.c, 3), 'a draft step, in target calls'],
    [`v(${v.length})`, fixed(v[v.length - 1], 2), `a call of ${v.length} rows, in calls of one`],
    [
      'speed-up',
      `${fixed(summary.speedup, 2)}×`,
      `predicted ${fixed(predicted(summary.alpha, settings.gamma, costs), 2)}×`,
    ],
  ];
  return (
    <div class="outcome">
      <Figures figures={figures} />
      <p class="verdict" id="exactness">
        {isExact
          ? '✓ This setting is exact: the text has the target’s own distribution.'
          : '✗ Lenience leaves the target’s distribution: this text is not exact.'}
      </p>
    </div>
  );
}

function Paper() {
  return (
    <details class="paper">
      <summary>The paper’s figures (table 2: T5-XXL on a TPU v4)</summary>
      <table class="texts">
        <caption class="unseen">Table 2 of the paper</caption>
        <thead>
          <tr>
            {['task', 'draft', 'temperature', 'γ', 'α', 'c', 'theory', 'measured'].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gradually first={4} each={4}>
            {published.TABLE_2.map(({ task, draft, temperature, gamma, alpha, c, theory: expected, measured }) => (
              <tr key={`${task} ${draft} ${temperature}`}>
                <th scope="row">{task}</th>
                {[
                  `T5-${draft}`,
                  temperature,
                  gamma,
                  fixed(alpha, 2),
                  fixed(c, 2),
                  `${fixed(expected, 1)}×`,
                  `${fixed(measured, 1)}×`,
                ].map((cell, i) => (
                  <td key={i}>{cell}</td>
                ))}
              </tr>
            ))}
          </Gradually>
        </tbody>
      </table>
    </details>
  );
}
