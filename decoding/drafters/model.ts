import type { ForwardOptions, SequenceModel } from '../../engine';
import { SharedEncodings, wholeShare } from '../encodings';
import { depthOf, type Proposal } from '../proposal';
import { Sequence } from '../sequence';
import { type Drafter, type DraftRequest, type DraftSession, proposeEach } from './drafter';
import { type GrownTree, type GrowthItem, growTrees } from './growth';

/** Another T5 with the same vocabulary drafts, one call for each position. */
export function modelDrafter(model: SequenceModel, name = 'model'): Drafter {
  return drafterOf(model, name, {}, false);
}

/**
 * The target's own first decoder layers draft, followed by its final norm and head. No second model is needed. The draft shares
 * the target's encoding of the source, and each round goes on from the keys and values that the target has cached.
 */
export function earlyExitDrafter(target: SequenceModel, layers: number): Drafter {
  return drafterOf(target, `first ${layers} layers`, { layers }, true);
}

/**
 * The target itself drafts, with its decoder's copy in fewer bits. No second model is needed. The draft shares the target's encoding
 * of the source, and each round goes on from the keys and values that the target has cached.
 *
 * @param target a model that was loaded with a copy
 */
export function selfDrafter(target: SequenceModel, name: string): Drafter {
  return drafterOf(target, name, { copy: true }, true);
}

function drafterOf(model: SequenceModel, name: string, options: ForwardOptions, isPartOfTarget: boolean): Drafter {
  const encodings = new SharedEncodings(); // by the target's encoding of the same source
  return {
    name,
    vocabularySize: model.vocabularySize,
    open: async (source, encoded, signal) => {
      if (isPartOfTarget && encoded) return new PartSession(Sequence.open(model, encoded), options, () => undefined);
      const encode = async () => (await model.encode([encoded?.masked ?? source], { signal }))[0];
      const own = encoded ? await encodings.take(encoded, encode) : wholeShare(await encode());
      return new ModelSession(Sequence.open(model, own.encoded), options, () => own.dispose());
    },
    proposeAll: async (turns) => {
      const sessions = turns.map(({ session }) => session).filter((session) => session instanceof ModelSession);
      if (sessions.length < turns.length) return proposeEach(turns); // a caller has wrapped one in a session of another kind
      const items = sessions.map((session, i) => session.begin(turns[i].request));
      const trees = await growTrees(model, items, options);
      return sessions.map((session, i) => session.remember(trees[i]));
    },
  };
}

/** A model's decoder state along one sequence, and along every line of what it proposed last. */
class ModelSession implements DraftSession {
  private last: GrownTree = { proposal: [], lines: [] };
  calls = 0;

  constructor(
    public sequence: Sequence,
    private readonly options: ForwardOptions,
    private readonly onDispose: () => void,
  ) {}

  async propose(request: DraftRequest): Promise<Proposal> {
    const item = this.begin(request);
    const [tree] = await growTrees(item.sequence.model, [item], this.options);
    return this.remember(tree);
  }

  /** Starts a round. */
  begin(request: DraftRequest): GrowthItem {
    return { sequence: this.sequence, request };
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
  }

  dispose(): void {
    for (const line of new Set([this.sequence, ...this.last.lines])) line?.dispose();
    this.onDispose();
  }
}

/** The state of a draft that is part of the target. What it has computed itself is of use for one round. */
class PartSession extends ModelSession {
  override begin(request: DraftRequest): GrowthItem {
    const { targetStream } = request;
    if (targetStream) {
      const next = Sequence.from(this.sequence.model, targetStream);
      this.sequence.dispose();
      this.sequence = next;
    }
    return super.begin(request);
  }
}
