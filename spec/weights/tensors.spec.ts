import { EMBEDDING_NAMES, HEAD_NAME, t5Shapes, t5Tensors } from '../../weights/tensors';
import { goldenFamilies, openGolden } from '../support/golden-files.node';

/** What Hugging Face writes besides: copies of the embedding, and a table of cross-attention that no version has ever read. */
const SPARE =
  /^((en|de)coder\.embed_tokens|decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias)\.weight$/;

describe('the names and shapes of T5’s tensors', () => {
  it.each(goldenFamilies())('are those that Hugging Face wrote for %s, and no tensor is left over', async (family) => {
    await using checkpoint = await openGolden(family);
    const found = [...checkpoint.tensors.keys()];
    const embedding = EMBEDDING_NAMES.find((name) => found.includes(name));
    const head = found.find((name) => name === HEAD_NAME);
    const tensors = t5Tensors(checkpoint.config, { embedding, head });
    const shapes = t5Shapes(checkpoint.config, tensors);
    for (const { name, shape } of shapes) expect([name, checkpoint.tensors.get(name)?.shape]).toEqual([name, shape]);
    const names = shapes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(found.filter((name) => !names.includes(name) && !SPARE.test(name))).toEqual([]);
  });
});
