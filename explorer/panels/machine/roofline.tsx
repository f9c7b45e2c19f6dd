import { Curves, type CurvesProps } from '../../page/curves';
import { fixed } from '../../page/format';
import { Gradually } from '../../page/stages';
import type { MeasuredKernel } from '../../protocol';
import { allowed, rooflineOf } from './roof';

type Points = NonNullable<CurvesProps['points']>[number];

/** How the points of each kernel look. */
const LOOKS: Readonly<Record<string, Pick<Points, 'side' | 'isHollow'>>> = {
  linear: { side: 'target' },
  attention: { side: 'draft' },
  'RMS norm': { side: 'target', isHollow: true },
  activation: { side: 'draft', isHollow: true },
};

/** The power of ten below or above a value. */
const powerOf = (value: number, round: (value: number) => number) => 10 ** round(Math.log10(value));

export function Roofline({ kernels }: { kernels: readonly MeasuredKernel[] }) {
  const { points, roof } = rooflineOf(kernels);
  const axisOf = (values: readonly number[], label: string) => ({
    ...{ label, isLog: true },
    from: powerOf(Math.min(...values), Math.floor),
    to: powerOf(Math.max(...values), Math.ceil),
  });
  const x = axisOf(
    points.map(({ intensity }) => intensity),
    'operations a byte',
  );
  const ends = [x.from, roof.peak / roof.bandwidth, x.to];
  return (
    <section aria-label="Roofline">
      <h2>
        Kernels under their roof <small>on the target’s shapes, in its type</small>
      </h2>
      <p id="roofline">
        At best {fixed(roof.bandwidth, 1)} GB/s and {fixed(roof.peak, 1)} GFLOP/s. The roof is the best that any kernel
        here reached.
      </p>
      <Curves
        title={`GFLOP/s of kernels against operations a byte, under ${fixed(roof.bandwidth, 1)} GB/s and ${fixed(roof.peak, 1)} GFLOP/s`}
        x={x}
        y={axisOf(
          points.map(({ speed }) => speed),
          'GFLOP/s',
        )}
        lines={[{ name: 'the roof', side: 'quiet', points: ends.map((at) => [at, allowed(roof, at)]) }]}
        points={Object.entries(LOOKS).map(([name, look]) => ({
          ...{ name, ...look },
          at: points.flatMap((one) => (one.name === name ? [[one.intensity, one.speed] as const] : [])),
        }))}
      />
      <Numbers points={points} roof={roof} />
    </section>
  );
}

function Numbers({ points, roof }: ReturnType<typeof rooflineOf>) {
  return (
    <details class="paper">
      <summary>The same as numbers</summary>
      <table class="texts kernels">
        <caption class="unseen">Kernels, measured here</caption>
        <thead>
          <tr>
            {['kernel', 'rows', 'operations a byte', 'GFLOP/s', 'the roof there'].map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gradually first={4} each={8}>
            {points.map(({ name, rows, intensity, speed }) => (
              <tr key={name + rows}>
                <th scope="row">{name}</th>
                {[rows, ...[intensity, speed, allowed(roof, intensity)].map((value) => fixed(value, 2))].map(
                  (cell, i) => (
                    <td key={i}>{cell}</td>
                  ),
                )}
              </tr>
            ))}
          </Gradually>
        </tbody>
      </table>
    </details>
  );
}
