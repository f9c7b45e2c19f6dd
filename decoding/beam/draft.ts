import type { DecoderRow, DecoderStream, Encoded, Source } from '../../engine';
import { extend, OpenStreams, type Prefix, rootsOf } from './prefixes';
import { continuations } from './scores';
import { type Beam, type Candidate, rank } from './selection';
import type { BeamRules, DraftRules } from './settings';

/** A hypothesis of the draft's search, with its place in the tree. */
interface Reached {
  readonly prefix: Prefix;
  readonly beam: Beam;
  /** Whether a draft search of the target's width would keep it. */
  readonly core: boolean;
}

/**
 * The draft's beam search, which starts from the target's hypotheses and is as wide as the target's search or wider (Leviathan
 * et al. 2023, appendix A.4). The hypotheses that a search of the target's width would keep come first; otherwise descendants
 * of the additional ones could displace them. The rest of the width goes to the best of the others. Every prefix that was
 * computed keeps its stream, so that the draft can go on from whichever prefixes the target keeps.
 */
export class BeamDraft {
  private readonly streams = new OpenStreams();
  /** Draft streams of the target's hypotheses. A stream may lack the last ids; the next call computes them. */
  private heads: readonly DecoderStream[];
  /** Draft streams of this round's prefixes. */
  private streamOfPrefix = new Map<Prefix, DecoderStream>();
  calls = 0;

  private constructor(
    private readonly draft: DraftRules,
    private readonly encoded: Encoded,
    private readonly rules: BeamRules,
  ) {
    this.heads = [this.streams.add(encoded.open())];
  }

  static async open(draft: DraftRules, source: Source, rules: BeamRules, signal?: AbortSignal): Promise<BeamDraft> {
    const [encoded] = await draft.model.encode([source], { signal });
    return new BeamDraft(draft, encoded, rules);
  }

  /** Searches `steps` steps ahead. Returns the roots of trees that contain every hypothesis that the draft kept on the way. */
  async propose(beams: readonly Beam[], steps: number): Promise<Prefix[]> {
    const roots = rootsOf(beams);
    this.streamOfPrefix = new Map(roots.map((root, i) => [root, this.heads[i]]));
    let reached: Reached[] = roots.map((prefix, i) => ({ prefix, beam: beams[i], core: true }));
    for (let step = 0; step < steps && reached.length > 0; step++) reached = await this.searchOneStep(reached);
    return roots;
  }

  /** Goes on from the prefixes that the target's new hypotheses continue by one token each. */
  continueFrom(prefixes: readonly Prefix[]): void {
    this.heads = prefixes.map((prefix) => this.streams.add(this.nearest(prefix).fork()));
    this.streams.keepOnly(this.heads);
    this.streamOfPrefix.clear();
  }

  dispose(): void {
    this.streams.keepOnly([]);
    this.encoded.dispose();
  }

  /** One step: computes each hypothesis's last token, and keeps the `width` best continuations that do not end. */
  private async searchOneStep(reached: readonly Reached[]): Promise<Reached[]> {
    const { numBeams, eosTokens, source, maxNewTokens, processing } = this.rules;
    const own = { eosTokens, source, maxNewTokens, isBeam: numBeams > 1, model: 'draft' as const };
    const { model, options, width } = this.draft;
    const { rows, last } = this.rowsOf(reached);
    this.calls++;
    const view = await model.forward(rows, options);
    try {
      const lists = [];
      for (const [i, { beam }] of reached.entries()) {
        const context = { ...own, ids: beam.ids };
        const found = await continuations(view, last[i], width + eosTokens.length, { context, processing });
        lists.push(found.filter(({ token }) => !eosTokens.includes(token)));
      }
      const beams = reached.map(({ beam }) => beam);
      const all = rank(beams, lists, Number.POSITIVE_INFINITY);
      const { core, spare } = this.chooseWidth(all, reached);
      return [...core, ...spare].map((candidate, i) => {
        const { parent, token, logProb } = candidate;
        const prefix = extend(reached[parent].prefix, token, logProb);
        return { prefix, beam: { ids: [...beams[parent].ids, token], logProb }, core: i < core.length };
      });
    } finally {
      view.dispose();
    }
  }

  /** The best continuations of the core, as many as the target has beams, and then the best of all others. */
  private chooseWidth(
    all: readonly Candidate[],
    reached: readonly Reached[],
  ): { core: Candidate[]; spare: Candidate[] } {
    const core = all.filter(({ parent }) => reached[parent].core).slice(0, this.rules.numBeams);
    const taken = new Set(core);
    const spare = all.filter((candidate) => !taken.has(candidate)).slice(0, this.draft.width - core.length);
    return { core, spare };
  }

  /** Rows for every id that the draft has not computed, and the index of each hypothesis's last row. */
  private rowsOf(reached: readonly Reached[]): { rows: DecoderRow[]; last: number[] } {
    const rows: DecoderRow[] = [];
    const last = reached.map(({ prefix, beam: { ids } }) => {
      const stream = this.streamOf(prefix);
      const known = stream.length;
      for (let position = known; position < ids.length; position++) {
        rows.push({ stream, position, token: ids[position], parent: position === known ? -1 : rows.length - 1 });
      }
      return rows.length - 1;
    });
    return { rows, last };
  }

  /** The prefix's stream; a new one is a copy of the stream of its nearest ancestor. */
  private streamOf(prefix: Prefix): DecoderStream {
    const stream = this.streamOfPrefix.get(prefix) ?? this.streams.add(this.nearest(prefix).fork());
    this.streamOfPrefix.set(prefix, stream);
    return stream;
  }

  /** The stream of the nearest ancestor that has one, or of the prefix itself. */
  private nearest(prefix: Prefix): DecoderStream {
    for (let at: Prefix | null = prefix; at; at = at.parent) {
      const stream = this.streamOfPrefix.get(at);
      if (stream) return stream;
    }
    throw new Error('beam draft: expected a prefix of this round, found another'); // every root has a stream
  }
}
