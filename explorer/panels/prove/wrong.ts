/** Known-wrong samplers that the page offers: those of testing/mutants/parts.ts that make a difference with one proposed token. */
export const WRONG = [
  { name: 'accepts every draft token' },
  { name: 'accepts with the target probability alone' },
  { name: 'accepts with draft / target' },
  { name: 'accepts whenever the target prefers the token, never otherwise' },
  { name: 'is lenient by a half and does not say so' },
  { name: 'corrects from the target itself' },
  { name: 'corrects from |target − draft|' },
  { name: 'corrects from draft − target' },
  { name: 'corrects from target / draft' },
  { name: 'corrects with the arg-max of the residual' },
  { name: 'uses one number to propose and to accept' },
  { name: 'uses one number to accept and to correct' },
  { name: 'scores the draft after another temperature' },
  { name: 'proposes the best of two draft samples' },
] as const;
