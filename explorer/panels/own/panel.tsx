import { useState } from 'preact/hooks';
import { Problem } from '../../page/controls';
import { megabytes, rounded } from '../../page/format';
import type { PanelProps } from '../../page/panel-props';
import type { Inspected, OwnModel } from '../../protocol';
import { filesOfDrop, filesOfInput } from './dropped';

/** A model that was chosen, and what its files say. */
interface Chosen {
  readonly model: OwnModel;
  readonly facts: Inspected;
}

type Role = 'target' | 'draft';

export function OwnPanel({ engine, info, load, place, change }: PanelProps) {
  const [chosen, setChosen] = useState<Readonly<Partial<Record<Role, Chosen>>>>({});
  const [doing, setDoing] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = async (what: string, work: () => Promise<void>) => {
    setDoing(what);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setDoing(null);
    }
  };
  const choose = (role: Role) => (model: OwnModel) =>
    attempt('Reading its files …', async () => {
      setChosen({ ...chosen, [role]: undefined });
      const facts = await engine.inspect(model);
      setChosen({ ...chosen, [role]: { model, facts } });
    });
  const { target, draft } = chosen;
  const start = () =>
    target && attempt('Loading …', () => load({ kind: 'own', target: target.model, draft: draft?.model ?? null }));
  return (
    <div class="own">
      <Lead />
      <Problem text={problem} />
      <div class="lanes">
        <Place side="target" title="The target" chosen={target} choose={choose('target')} {...{ place, change }} />
        <Place
          {...{ place, change }}
          side="draft"
          title="A draft with the same vocabulary, if you have one"
          chosen={draft}
          choose={choose('draft')}
        />
      </div>
      <div class="bar">
        <button
          type="button"
          class="primary"
          disabled={target === undefined || doing !== null || info === null}
          onClick={start}
        >
          Load {target ? `${megabytes(memoryOf(target, draft))} into memory` : 'it'}
        </button>
        <p role="status" id="own-status">
          {doing ??
            (info === null ? '' : `Loaded: ${info.target.name}${info.draft ? ` with ${info.draft.name}` : ''}.`)}
        </p>
      </div>
    </div>
  );
}

function Lead() {
  return (
    <p class="lead">
      A T5 in Hugging Face’s layout: config.json, model.safetensors and its tokenizer. Files that you drop are read in
      this page and go nowhere.
    </p>
  );
}

/** Where the target in q8 drafts, its decoder is kept a second time: at most a quarter of the whole. */
function memoryOf({ facts }: Chosen, draft: Chosen | undefined): number {
  const ofDraft = draft ? draft.facts.memoryBytes + draft.facts.keptBytes : 0;
  return facts.memoryBytes * 1.25 + facts.keptBytes + ofDraft;
}

interface PlaceProps extends Pick<PanelProps, 'place' | 'change'> {
  readonly side: Role;
  readonly title: string;
  readonly chosen: Chosen | undefined;
  readonly choose: (model: OwnModel) => void;
}

function Place({ side, title, chosen, choose, place, change }: PlaceProps) {
  const name = `${side}Address`; // the link keeps it; nothing is fetched before somebody asks for it
  const address = place.values[name] ?? '';
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    choose(await filesOfDrop(event));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (address.trim() !== '') choose(address.trim());
  };
  return (
    <section class={`lane ${side}`} aria-label={title} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <h2>
        <i class={`dot ${side}`} aria-hidden="true" />
        {title}
      </h2>
      <label class="field">
        <span>Drop its directory here, or choose it</span>
        <input
          type="file"
          name={side}
          {...{ webkitdirectory: true }}
          onChange={({ currentTarget }) => choose(filesOfInput(currentTarget.files))}
        />
      </label>
      <form class="field" onSubmit={submit}>
        <label for={`${side}-address`}>A hub id, or the address of its directory</label>
        <span class="joined">
          <input
            id={`${side}-address`}
            name={name}
            type="text"
            value={address}
            placeholder="google/flan-t5-small"
            onInput={({ currentTarget }) => change({ [name]: currentTarget.value || undefined })}
          />
          <button type="submit">Look</button>
        </span>
      </form>
      {chosen !== undefined && (
        <p class="facts">
          <strong>{chosen.facts.name}</strong>: {chosen.facts.family}, {rounded(chosen.facts.parameters)} parameters,{' '}
          {megabytes(chosen.facts.storedBytes)} in files, {megabytes(chosen.facts.memoryBytes)} in memory.
          {chosen.facts.keptBytes > 0 && ' Its weights are not fetched before you load it.'}
        </p>
      )}
    </section>
  );
}
