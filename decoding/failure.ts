/** Stands in the place of a run's value when that run has failed. Other runs of the same round go on. */
export class Failure {
  constructor(readonly error: unknown) {}
}
