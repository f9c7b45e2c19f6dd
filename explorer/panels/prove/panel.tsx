import { useState } from 'preact/hooks';
import { Problem } from '../../page/controls';
import { percent } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import { useKept, useWork } from '../../page/run';
import { Gradually } from '../../page/stages';
import type { Proof, ProofRequest } from '../../proof/prove';
import { Experiment } from './experiment';
import { PathTree } from './path-tree';
import { Texts } from './texts';
import { WRONG } from './wrong';

/** A sampler whose texts are this near to the target's is exact: what is left is rounding. */
const EXACT = 1e-12;

export function ProvePanel({ engine, place, change }: PanelProps) {
  const { values } = place;
  const wrong = WRONG.find(({ name }) => name === values.wrong) ?? null;
  const tables = /^\d{1,6}$/.test(values.models ?? '') ? Number(values.models) : 3;
  const request: ProofRequest = { wrong: wrong?.name ?? null, tables, gamma: 1, length: 2 };
  const [proof, setProof] = useKept<Proof | null>('proof', null);
  const [hovered, setHovered] = useState<number | null>(null);
  const work = useWork('prove', JSON.stringify(request), async (signal) => {
    const found = await engine.prove(request, { signal });
    if (!signal.aborted) setProof(found);
  });
  return (
    <div class="prove">
      <p class="lead">
        Two models over three words. The sampler that ships runs through every path that its random numbers can take. A
        path is as wide as its probability. The paths to a text add up to a bar, and the bar must be the target’s own.
      </p>
      <section class="controls" aria-label="Settings">
        <Samplers wrong={wrong?.name ?? null} change={change} />
        <div class="fields">
          <label class="field">
            <span>models</span>
            <button type="button" onClick={() => change({ models: tables + 1 })}>
              Two others
            </button>
          </label>
        </div>
      </section>
      <Problem text={work.error} />
      {proof !== null && (
        <Gradually>
          <Finding proof={proof} isWrong={wrong !== null} />
          <PathTree proof={proof} hovered={hovered} hover={setHovered} />
          <Texts proof={proof} hovered={hovered} hover={setHovered} />
          <Experiment {...{ engine, request, proof, place, change }} />
        </Gradually>
      )}
    </div>
  );
}

function Finding({ proof: { paths, distance }, isWrong }: { proof: Proof; isWrong: boolean }) {
  const isExact = distance <= EXACT;
  return (
    <p class={`finding ${isExact ? 'exact' : 'bent'}`} role="status" id="finding">
      <strong>{isExact ? '✓ Exact.' : '✗ Not exact.'}</strong> {paths.length} paths. The texts are{' '}
      {isExact
        ? `${distance.toExponential(0)} away from the target’s: rounding errors.`
        : `${percent(distance)} away from the target’s (total variation).`}
      {isWrong && isExact && ' With these two models this sampler is not found out; others find it.'}
    </p>
  );
}

function Samplers({ wrong, change }: { wrong: string | null } & Pick<PanelProps, 'change'>) {
  return (
    <label class="field wide">
      <span>The sampler</span>
      <select
        name="wrong"
        value={wrong ?? ''}
        onChange={({ currentTarget }) => change({ wrong: currentTarget.value || undefined })}
      >
        <option value="" selected={wrong === null}>
          the one that ships
        </option>
        <optgroup label="wrong on purpose">
          {WRONG.map(({ name }) => (
            <option key={name} value={name} selected={name === wrong}>
              {name}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}
