import { TandemError } from '../../common';

/** Stands for the reader of files of torch.save, which the site leaves out (`withoutParts` of build/plugins.mjs). */
export async function openTorchFile({ name }: { readonly name: string }): Promise<never> {
  throw new TandemError(
    'header-invalid',
    `${name}: expected safetensors, which the explorer reads, found a file of torch.save; \`tandem quantize\` writes one as safetensors`,
  );
}
