import { counted } from '../../../common';
import { askedOf } from '../../page/asked';
import { DraftChoice, Figures, Problem } from '../../page/controls';
import { Curves } from '../../page/curves';
import { fixed, megabytes, rounded } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import { useKept, useWork } from '../../page/run';
import { Gradually } from '../../page/stages';
import type { EngineInfo, MeasuredCosts, MeasuredKernel, ModelInfo } from '../../protocol';
import { Roofline } from './roofline';

interface Measured {
  readonly costs: MeasuredCosts;
  readonly kernels: readonly MeasuredKernel[];
}

export function MachinePanel({ engine, info, place, change }: PanelProps) {
  const { settings } = askedOf(place.values, info);
  const [measured, setMeasured] = useKept<Measured | null>('machine', null);
  const { draft, text } = settings;
  const key = info === null ? null : JSON.stringify([draft, info.stamp]);
  const work = useWork('machine', key, async (signal) => {
    const costs = await engine.measure({ text, draft }, { signal });
    const kernels = await engine.kernels({ signal });
    if (!signal.aborted) setMeasured({ costs, kernels });
  });
  return (
    <>
      {info !== null && <Facts info={info} />}
      <section class="controls" aria-label="Settings">
        <div class="fields">
          <DraftChoice {...{ draft, info, change }} />
          <div class="field">
            <span>costs</span>
            <button type="button" disabled={work.isRunning} onClick={work.repeat}>
              Measure again
            </button>
          </div>
        </div>
      </section>
      <Problem text={work.error} />
      {measured !== null && (
        <div class="charts">
          <Gradually>
            <Costs costs={measured.costs} />
            <Roofline kernels={measured.kernels} />
          </Gradually>
        </div>
      )}
    </>
  );
}

function Facts({ info }: { info: EngineInfo }) {
  const isIsolated = globalThis.crossOriginIsolated;
  const model = ({ parameters, weightBytes, dtype }: ModelInfo) =>
    `${rounded(parameters)} parameters in ${dtype}, ${megabytes(weightBytes)}`;
  const facts: (readonly [string, string, string])[] = [
    ['feature level', info.level, info.reason],
    [
      'threads',
      String(info.threads),
      isIsolated
        ? `of ${counted(navigator.hardwareConcurrency, 'core')}; one is left to the page, unless the link says threads=…`
        : 'the page may not share memory, so there is one',
    ],
    ['target', info.target.name, model(info.target)],
    ['draft', info.draft?.name ?? 'no model', info.draft ? model(info.draft) : ''],
  ];
  return (
    <section class="outcome" aria-label="This machine">
      <Figures figures={facts} isWordy />
    </section>
  );
}

function Costs({ costs: { c, v, measured, oneRow, decoderWeights, weightBytes } }: { costs: MeasuredCosts }) {
  // Operations and bytes a millisecond, in millions: GFLOP/s and GB/s. The matrices of the decoder and its head alone count.
  const speeds = v.map((cost, i) => (2 * decoderWeights * (i + 1)) / (oneRow * cost) / 1e6);
  const bandwidth = (decoderWeights * weightBytes) / oneRow / 1e6;
  const top = Math.max(2, Math.ceil(Math.max(...v, ...measured)));
  return (
    <section aria-label="Costs">
      <h2>
        What a call of the target costs <small>in calls of one row, each the fastest of three</small>
      </h2>
      <p id="costs">
        c = {fixed(c, 3)}: a draft step. v({v.length}) = {fixed(v[v.length - 1], 2)}: a target call of {v.length} rows.
      </p>
      <p id="speed">
        {fixed(bandwidth, 1)} GB/s of weights and {fixed(speeds[0], 1)} GFLOP/s with one row,{' '}
        {fixed(Math.max(...speeds), 1)} GFLOP/s at best.
      </p>
      <Curves
        title={`Cost of a target call against its rows, up to ${fixed(v[v.length - 1], 2)} at ${v.length} rows`}
        x={{ label: 'rows', from: 1, to: v.length, isWhole: true }}
        y={{ label: 'v', from: 0, to: top }}
        lines={[
          { name: 'v(k), smoothed: it does not fall', side: 'target', points: v.map((cost, i) => [i + 1, cost]) },
          { name: 'row by row', side: 'quiet', points: [1, Math.min(v.length, top)].map((rows) => [rows, rows]) },
        ]}
        points={[
          { name: 'v(k), measured', side: 'target', isSmall: true, at: measured.map((cost, i) => [i + 1, cost]) },
        ]}
        marks={[{ name: 'c, a draft step', y: c }]}
      />
    </section>
  );
}
