/**
 * Proofs for samplers: what the project's own specs and `tandem prove` run, for drafters, rules and verifiers that you write.
 *
 * `checkDrafter`, `checkRule` and `checkVerifier` state the law of speculative decoding, that texts have the target's own
 * distribution, and follow every path of the shipped loop to check it. `enumerate` does that for any function of random numbers.
 * `MUTANTS` are samplers that are wrong on purpose: a check that they pass proves nothing. `arbitrariesOf` needs fast-check.
 *
 * @module tandem-t5/testing
 * @packageDocumentation
 */
export type { TokenRule, Verdict } from './decoding';
export * from './testing/index';
