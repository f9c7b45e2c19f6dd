import type { Encoded, ForwardOptions, SequenceModel } from '../../engine';
import { SharedEncodings, wholeShare } from '../encodings';
import { depthOf, type Proposal } from '../proposal';
import { Sequence } from '../sequence';
import { type Drafter, type DraftRequest, type DraftSession, proposeEach } from './drafter';
import { type FirstStage, Guesses, type ModelItem } from './first-stage';
import { type GrownTree, growTrees } from './growth';
import type { Guesser } from './guesser';

/**
 * Another T5 with the same vocabulary drafts, one call for each position.
 *
 * @param first drafts for it in its turn, so that it proposes the same in fewer calls
 * @throws DecodingError `vocabulary-mismatch`
 */
export function modelDrafter(model: SequenceModel, name = 'model', first: FirstStage | null = null): Drafter {
  return drafterOf({ model, name, options: {}, isPartOfTarget: false, first });
}

/**
 * The target's own first decoder layers draft, followed by its final norm and head. No second model is needed. The draft shares
 * the target's encoding of the source, and each round goes on from the keys and values that the target has cached.
 */
export function earlyExitDrafter(target: SequenceModel, layers: number): Drafter {
  return drafterOf({
    model: target,
    name: `first ${layers} layers`,
    options: { layers },
    isPartOfTarget: true,
    first: null,
  });
}

/**
 * The target itself drafts, with its decoder's copy in fewer bits. No second model is needed. The draft shares the target's encoding
 * of the source, and each round goes on from the keys and values that the target has cached.
 *
 * @param target a model that was loaded with a copy
 * @param first drafts for it in its turn, so that it proposes the same in fewer calls
 * @throws DecodingError `vocabulary-mismatch`
 */
export function selfDrafter(target: SequenceModel, name: string, first: FirstStage | null = null): Drafter {
  return drafterOf({ model: target, name, options: { copy: true }, isPartOfTarget: true, first });
}

interface ModelDraft {
  readonly model: SequenceModel;
  readonly name: string;
  readonly options: ForwardOptions;
  readonly isPartOfTarget: boolean;
  readonly first: FirstStage | null;
}

function drafterOf({ model, name, options, isPartOfTarget, first }: ModelDraft): Drafter {
  const encodings = new SharedEncodings(); // by the target's encoding of the same source
  const guesses = first && new Guesses(first, model, options);
  const grow = async (items: readonly ModelItem[]) => guesses?.grow(items) ?? growTrees(model, items, options);
  const openModel = async (source: readonly number[], encoded: Encoded | undefined, signal?: AbortSignal) => {
    if (isPartOfTarget && encoded) return new PartSession(Sequence.open(model, encoded), grow, () => undefined);
    const encode = async () => (await model.encode([encoded?.masked ?? source], { signal }))[0];
    const own = encoded ? await encodings.take(encoded, encode) : wholeShare(await encode());
    return new ModelSession(Sequence.open(model, own.encoded), grow, () => own.dispose());
  };
  return {
    name: guesses?.nameOf(name) ?? name,
    vocabularySize: model.vocabularySize,
    open: async (source, encoded, signal) => {
      const session = await openModel(source, encoded, signal);
      return guesses ? guesses.open(session, source, encoded, signal) : session;
    },
    proposeAll: async (turns) => {
      const sessions = turns.map(({ session }) => session).filter((session) => session instanceof ModelSession);
      if (sessions.length < turns.length) return proposeEach(turns); // a caller has wrapped one in a session of another kind
      const trees = await grow(sessions.map((session, i) => session.begin(turns[i].request)));
      return sessions.map((session, i) => session.remember(trees[i]));
    },
  };
}

/** A model's decoder state along one sequence, and along every line of what it proposed last. */
class ModelSession implements DraftSession {
  private last: GrownTree = { proposal: [], lines: [] };
  /** What guesses for the model; null where nothing does. */
  guesser: Guesser | null = null;
  calls = 0;

  constructor(
    public sequence: Sequence,
    private readonly grow: (items: readonly ModelItem[]) => Promise<GrownTree[]>,
    private readonly onDispose: () => void,
  ) {}

  async propose(request: DraftRequest): Promise<Proposal> {
    const [tree] = await this.grow([this.begin(request)]);
    return this.remember(tree);
  }

  /** Starts a round. */
  begin(request: DraftRequest): ModelItem {
    return { sequence: this.sequence, request, guesser: this.guesser };
  }

  remember(tree: GrownTree): Proposal {
    this.last = tree;
    this.calls += depthOf(tree.proposal);
    return tree.proposal;
  }

  /** Goes on from the line that was accepted, and gives the other lines back. */
  rewind(length: number, path: readonly number[]): void {
    const { lines } = this.last;
    let kept = this.sequence;
    let known = length;
    for (const [depth, token] of path.entries()) {
      const line = lines[token];
      if (line) kept = line;
      // A branch that nothing followed has no state of its own. The next call computes its last token again.
      else known = Math.min(known, length - path.length + depth);
    }
    for (const line of new Set([this.sequence, ...lines])) if (line !== kept) line?.dispose();
    this.last = { proposal: [], lines: [] };
    this.sequence = kept;
    kept.rewind(known);
    this.guesser?.session.rewind(length, []);
  }

  dispose(): void {
    for (const line of new Set([this.sequence, ...this.last.lines])) line?.dispose();
    this.guesser?.session.dispose();
    this.onDispose();
  }
}

/** The state of a draft that is part of the target. What it has computed itself is of use for one round. */
class PartSession extends ModelSession {
  override begin(request: DraftRequest): ModelItem {
    const { targetStream } = request;
    if (targetStream) {
      const next = Sequence.from(this.sequence.model, targetStream);
      this.sequence.dispose();
      this.sequence = next;
    }
    return super.begin(request);
  }
}
