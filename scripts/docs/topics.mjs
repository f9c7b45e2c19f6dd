/** A plugin for typedoc: groups what an entry exports by topic, which is the folder of the sources that it comes from. */
import { relative, sep } from 'node:path';
import { Application, Comment, CommentTag, Converter } from 'typedoc';

/** The topic of each folder, in the order in which one reads. The longest folder that fits decides. */
const TOPICS = {
  'api/': 'Models, texts and results',
  'decoding/': 'Decoding',
  'decoding/drafters/': 'Drafters',
  'decoding/verification/': 'Verification',
  'decoding/sampling/': 'Distributions and random numbers',
  'decoding/gamma/': 'γ and the formulas',
  'decoding/beam/': 'Beam search',
  'engine/': 'The T5 engine',
  'kernels/': 'Kernels and backends',
  'weights/': 'Checkpoints and downloads',
  'weights/tokenizer/': 'Tokenizers',
  'transformers/': 'The face of transformers.js',
  'testing/': 'Proofs of your own',
  'common/': 'Errors and options',
};

export function topicOf(file) {
  const fits = Object.keys(TOPICS).filter((folder) => file.startsWith(folder));
  if (fits.length === 0)
    throw new Error(`${file}: expected a folder with a topic (scripts/docs/topics.mjs), found none`);
  return TOPICS[fits.sort((a, b) => b.length - a.length)[0]];
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue('categoryOrder', [...new Set(Object.values(TOPICS)), '*']);
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const entry of context.project.children ?? []) {
      for (const reflection of entry.children ?? []) {
        const exported = reflection.isReference() ? reflection.getTargetReflectionDeep() : reflection;
        const [declaration] = context.getSymbolFromReflection(exported)?.declarations ?? [];
        if (!declaration) throw new Error(`${reflection.name}: expected a declaration, found none`);
        const file = relative(process.cwd(), declaration.getSourceFile().fileName).split(sep).join('/');
        const category = new CommentTag('@category', [{ kind: 'text', text: topicOf(file) }]);
        const commented = reflection.signatures?.length ? reflection.signatures : [reflection];
        for (const one of commented) {
          one.comment ??= new Comment();
          one.comment.blockTags.push(category.clone());
        }
      }
    }
  });
}
