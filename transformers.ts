/**
 * The names of transformers.js over Tandem: `pipeline`, `AutoTokenizer`, `AutoModelForSeq2SeqLM`, in snake_case.
 *
 * A program that runs a T5 with transformers.js runs here with the import changed, on the original checkpoint in place of ONNX
 * files, and with speculation where it names a `draft`.
 *
 * @module tandem-t5/transformers
 * @packageDocumentation
 */
export * from './transformers/index';
