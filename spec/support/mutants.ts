export { MUTANTS, type Mutant } from '../../testing/mutants';
