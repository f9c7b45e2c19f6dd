import type { DecoderRow, DecoderStream, Encoded } from '../engine';
import { extend, OwnedStreams, type Prefix, rootsOf } from './beam-prefixes';
import { continuations } from './beam-scores';
import { type Beam, type Candidate, rank } from './beam-selection';
import type { BeamRules, DraftRules } from './beam-settings';

/** A hypothesis of the draft's search, and its place in the tree. */
interface Reached {
  readonly prefix: Prefix;
  readonly beam: Beam;
  /** Whether the draft, searching as wide as the target, would keep it. */
  readonly core: boolean;
}

/**
 * The draft's own beam search, of the target's width or wider, from where the target's stands: what Leviathan et al. 2023
 * sketch in appendix A.4. What a search of the target's own width keeps always comes first, since in a wider one
 * descendants of spare hypotheses could displace it; the rest of the width goes to the best of the others. Streams are kept
 * for every prefix that is run, so that the draft goes on from whichever of them survive.
 */
export class BeamDraft {
  private readonly owned = new OwnedStreams();
  /** Draft streams of the target's hypotheses; each may lag behind, the next call feeds what is missing. */
  private heads: readonly DecoderStream[];
  /** Draft streams of this round: all of the prefix, once it has been run. */
  private held = new Map<Prefix, DecoderStream>();
  calls = 0;

  private constructor(
    private readonly draft: DraftRules,
    private readonly encoded: Encoded,
    private readonly rules: BeamRules,
  ) {
    this.heads = [this.owned.add(encoded.open())];
  }

  static async open(draft: DraftRules, source: readonly number[], rules: BeamRules): Promise<BeamDraft> {
    const [encoded] = await draft.model.encode([source]);
    return new BeamDraft(draft, encoded, rules);
  }

  /** Roots of trees that hold every hypothesis of the draft's search at each of the next `levels` lengths. */
  async propose(beams: readonly Beam[], levels: number): Promise<Prefix[]> {
    const roots = rootsOf(beams);
    this.held = new Map(roots.map((root, i) => [root, this.heads[i]]));
    let reached: Reached[] = roots.map((prefix, i) => ({ prefix, beam: beams[i], core: true }));
    for (let level = 0; level < levels && reached.length > 0; level++) reached = await this.deeper(reached);
    return roots;
  }

  /** Goes on from the prefixes that the target's new hypotheses continue, each by one token. */
  settle(survivors: readonly Prefix[]): void {
    this.heads = survivors.map((prefix) => this.owned.add(this.nearest(prefix).fork()));
    this.owned.keepOnly(this.heads);
    this.held.clear();
  }

  dispose(): void {
    this.owned.keepOnly([]);
    this.encoded.dispose();
  }

  /** One step: runs each hypothesis's newest token, and keeps `width` of those that do not end. */
  private async deeper(reached: readonly Reached[]): Promise<Reached[]> {
    const { eosTokens, processing } = this.rules;
    const { model, options, width } = this.draft;
    const { rows, last } = this.rowsOf(reached);
    this.calls++;
    const view = await model.forward(rows, options);
    try {
      const lists = [];
      for (const [i, { beam }] of reached.entries()) {
        const context = { ids: beam.ids, eosTokens };
        const found = await continuations(view, last[i], width + eosTokens.length, context, processing);
        lists.push(found.filter(({ token }) => !eosTokens.includes(token)));
      }
      const beams = reached.map(({ beam }) => beam);
      const all = rank(beams, lists, Number.POSITIVE_INFINITY);
      const { core, spare } = this.divided(all, reached);
      return [...core, ...spare].map((candidate, i) => {
        const { parent, token, logProb } = candidate;
        const prefix = extend(reached[parent].prefix, token, logProb);
        return { prefix, beam: { ids: [...beams[parent].ids, token], logProb }, core: i < core.length };
      });
    } finally {
      view.dispose();
    }
  }

  /** The best of what the core continues to, as many as the target keeps, and the best of all others. */
  private divided(all: readonly Candidate[], reached: readonly Reached[]): { core: Candidate[]; spare: Candidate[] } {
    const core = all.filter(({ parent }) => reached[parent].core).slice(0, this.rules.beams);
    const taken = new Set(core);
    const spare = all.filter((candidate) => !taken.has(candidate)).slice(0, this.draft.width - core.length);
    return { core, spare };
  }

  /** Rows of every id that the draft has not seen, and the last one of each hypothesis. */
  private rowsOf(reached: readonly Reached[]): { rows: DecoderRow[]; last: number[] } {
    const rows: DecoderRow[] = [];
    const last = reached.map(({ prefix, beam: { ids } }) => {
      const stream = this.streamOf(prefix);
      const seen = stream.length;
      for (let position = seen; position < ids.length; position++) {
        rows.push({ stream, position, token: ids[position], parent: position === seen ? -1 : rows.length - 1 });
      }
      return rows.length - 1;
    });
    return { rows, last };
  }

  /** The prefix's own stream; made from its parent's. */
  private streamOf(prefix: Prefix): DecoderStream {
    const own = this.held.get(prefix) ?? this.owned.add(this.nearest(prefix).fork());
    this.held.set(prefix, own);
    return own;
  }

  /** The stream of the longest part of the prefix that has one. */
  private nearest(prefix: Prefix): DecoderStream {
    for (let at: Prefix | null = prefix; at; at = at.parent) {
      const stream = this.held.get(at);
      if (stream) return stream;
    }
    throw new Error('beam draft: a prefix of another round'); // roots always have one
  }
}
