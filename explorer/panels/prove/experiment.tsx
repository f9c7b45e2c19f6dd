import { Curves } from '../../page/curves';
import { percent, whole } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import { within } from '../../page/place';
import { useKept, useWork } from '../../page/run';
import type { Counts, Proof, ProofRequest } from '../../proof/prove';

const SAMPLES = 8000;

interface Point {
  readonly drawn: number;
  readonly distance: number;
}

interface Trials {
  readonly points: readonly Point[];
  /** What the counts are of. */
  readonly of: string;
}

interface ExperimentProps extends Pick<PanelProps, 'engine' | 'place' | 'change'> {
  readonly request: ProofRequest;
  readonly proof: Proof;
}

const MOST_SEED = 2 ** 31 - 1;

/** Thousands of samples: how far their frequencies are from the target, as they become more. */
export function Experiment({ engine, request, proof, place, change }: ExperimentProps) {
  const of = JSON.stringify(request);
  const [trials, setTrials] = useKept<Trials>('trials', { points: [], of });
  const firstSeed = within(place.values.seed, MOST_SEED, 0);
  const work = useWork('experiment', JSON.stringify([request, firstSeed]), async (signal) => {
    const points: Point[] = [];
    setTrials({ points, of });
    await engine.sample(
      { ...request, samples: SAMPLES, firstSeed },
      {
        signal,
        hear: (event) => {
          if (event.kind !== 'counts' || signal.aborted) return;
          points.push({ drawn: event.drawn, distance: distanceOf(event.counts, event.drawn, proof) });
          setTrials({ points: [...points], of });
        },
      },
    );
  });
  const points = trials.of === of ? trials.points : [];
  const last = points.at(-1);
  return (
    <section class="experiment" aria-label="Experiment">
      <h2>
        The same by samples <small>each with numbers of its own, as in use</small>
      </h2>
      <p id="samples">
        {last === undefined
          ? '0 samples'
          : `${whole(last.drawn)} samples: ${percent(last.distance)} away from the target`}
        {last !== undefined && `; by chance alone one expects about ${percent(expectedDistance(proof, last.drawn))}.`}{' '}
        <button
          type="button"
          class="chip"
          disabled={work.isRunning}
          onClick={() => change({ seed: firstSeed + SAMPLES })}
        >
          Sample again
        </button>
      </p>
      <Curves
        title="Distance of the samples from the target, against their number"
        x={{ label: 'samples', from: 0, to: SAMPLES }}
        y={{ label: 'distance', from: 0, to: Math.max(0.12, proof.distance * 1.4), format: percent }}
        lines={[
          { name: 'measured', side: 'target', points: points.map(({ drawn, distance }) => [drawn, distance]) },
          {
            name: 'by chance alone',
            side: 'quiet',
            points: Array.from({ length: 80 }, (_, i) => {
              const drawn = ((i + 1) * SAMPLES) / 80;
              return [drawn, expectedDistance(proof, drawn)];
            }),
          },
        ]}
        marks={proof.distance > 1e-6 ? [{ name: 'by enumeration', y: proof.distance }] : []}
      />
    </section>
  );
}

function distanceOf(counts: Counts, drawn: number, { texts }: Proof): number {
  return texts.reduce((sum, { text, target }) => sum + Math.abs((counts[text] ?? 0) / drawn - target), 0) / 2;
}

/** The mean distance of an exact sampler: half the sum of mean absolute errors, √(2 p (1 − p) / (π n)) for each text. */
function expectedDistance({ texts }: Proof, drawn: number): number {
  return texts.reduce((sum, { target }) => sum + Math.sqrt((2 * target * (1 - target)) / (Math.PI * drawn)), 0) / 2;
}
