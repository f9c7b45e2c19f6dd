import type { RunSettings } from '../../page/settings';
import { Gradually } from '../../page/stages';
import { ALGORITHM, linesOf, type Step } from './steps';

/** The functions that the build cut out of the sources (build/excerpts.mjs). */
declare const SOURCES: Readonly<
  Record<string, { readonly file: string; readonly line: number; readonly text: string }>
>;

interface AlgorithmProps {
  readonly step: Step;
  readonly settings: RunSettings;
  readonly isTree: boolean;
}

/** The paper's algorithm with the lines of this step, and the code that did it. */
export function Algorithm({ step, settings, isTree }: AlgorithmProps) {
  const lines = linesOf(step);
  const names = isTree && step.kind === 'block' ? ['tree', 'siblings'] : codeOf(step, settings);
  return (
    <div class="algorithm">
      <Gradually>
        <section aria-label="Algorithm 1">
          <h2>
            Algorithm 1 <small>Leviathan, Kalman, Matias 2023 · p is the target, q the draft</small>
          </h2>
          <ol class="listing">
            {ALGORITHM.map(([kind, text], i) => (
              <li
                key={text}
                class={kind === 'guess' ? 'comment' : ''}
                aria-current={lines.includes(i + 1) ? 'step' : undefined}
              >
                {text}
              </li>
            ))}
          </ol>
        </section>
        <section aria-label="The code of this step">
          <h2>
            The code that did it <small>as it ships</small>
          </h2>
          {names.map((name) => (
            <Source key={name} name={name} />
          ))}
        </section>
      </Gradually>
    </div>
  );
}

function Source({ name }: { name: string }) {
  const { file, line, text } = SOURCES[name];
  return (
    <figure class="code">
      <figcaption>
        {file}, from line {line}
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section class="scroll" tabIndex={0} aria-label={`${file}, from line ${line}`}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </figure>
  );
}

/** Which excerpts belong to a step. */
function codeOf({ kind }: Step, { verification, lenience }: RunSettings): string[] {
  const isLenient = lenience < 1 && verification === 'token';
  switch (kind) {
    case 'propose':
      return ['propose'];
    case 'score':
      return ['score'];
    case 'accept':
      return verification === 'coupled' ? ['coupled'] : isLenient ? ['lenient'] : ['accept', 'verify'];
    case 'block':
      return ['block'];
    case 'adjust':
      return ['residual'];
    case 'draw':
      return verification === 'coupled' ? ['coupled'] : ['draw'];
    case 'caches':
      return ['caches'];
  }
}
