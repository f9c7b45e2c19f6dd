export { counted, encodedOnce, exact } from '../../testing/statistics';

/** A held-out passage whose first words can be translated in several ways, so that several texts have mass. */
export const PASSAGE = 16;
